using Microsoft.Extensions.Logging;
using ViralEngine.Core.Agents;

namespace ViralEngine.Functions.Agents;

/// <summary>
/// Seals agents' secrets anew after the key ring got a new first key. Once it has run, the old key may go; until then it finds
/// nothing to do.
/// </summary>
internal sealed partial class SecretRotation(AgentSecretRotation rotation, ILogger<SecretRotation> logger)
{
    public async Task RunAsync(CancellationToken ct)
    {
        var count = await rotation.RunAsync(ct);
        if (count > 0)
            LogRotated(logger, count);
    }

    [LoggerMessage(1, LogLevel.Information, "Re-encrypted the secrets of {Count} agents with the first key of Secrets:Keys")]
    private static partial void LogRotated(ILogger logger, int count);
}
