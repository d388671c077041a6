using Microsoft.Extensions.Logging;
using ViralEngine.Core.Agents;

namespace ViralEngine.Functions.Agents;

/// <summary>
/// Re-encrypts agents' secrets after a new first key was added to the key ring. Once it has run, the old key can be
/// removed.
/// </summary>
internal sealed partial class SecretRotation(AgentSecretRotation rotation, ILogger<SecretRotation> logger)
{
    public async Task RunAsync(CancellationToken ct)
    {
        var count = await rotation.RunAsync(ct);
        if (count > 0)
            LogRotated(logger, count);
    }

    [LoggerMessage(
        1, LogLevel.Information, "Re-encrypted the secrets of {Count} agents with the first key of Secrets:Keys")]
    private static partial void LogRotated(ILogger logger, int count);
}
