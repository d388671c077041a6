using System.Security.Cryptography;
using System.Text;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// Authenticates the clients of this process: a secret of the process, sent in place of the task hub's name.
/// </summary>
internal sealed class ClientKey
{
    /// <summary>The metadata in which the worker's client names its task hub.</summary>
    public const string Header = "durable-taskhub";

    public string Value { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public bool Opens(string? given) => CryptographicOperations.FixedTimeEquals(
        Encoding.UTF8.GetBytes(Value), Encoding.UTF8.GetBytes(given ?? ""));
}
