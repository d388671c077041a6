using System.Text.Json;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// A tenant's headers for every message to an endpoint. They may contain credentials, so they are encrypted in storage.
/// </summary>
public static class WebhookHeaders
{
    public const int MaxCount = 20;
    private const int MaxNameLength = 100;
    private const int MaxValueLength = 4096;
    private const string Purpose = "webhook headers";

    // Set by the app, or about the connection (RFC 9110, section 7.6.1).
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Keep-Alive",
        "Upgrade",
        "TE", "Trailer", "Expect", "Proxy-Authorization", "Proxy-Connection", "Cookie", "User-Agent", "traceparent",
        "tracestate",
    };

    /// <summary>Null if the header is allowed, else an error message.</summary>
    public static string? Check(string name, string value)
    {
        if (name.Length is 0 or > MaxNameLength
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c)))
            return "Must be a valid header name.";
        if (Reserved.Contains(name) || name.StartsWith("webhook-", StringComparison.OrdinalIgnoreCase))
            return "Must not be set: the app sets this header.";
        return value.Length <= MaxValueLength && value.All(c => c is >= ' ' and < '\x7f')
            ? null
            : $"Must be printable ASCII of at most {MaxValueLength} characters.";
    }

    internal static byte[]? Seal(SecretBox box, TenantId tenant, IReadOnlyDictionary<string, string> headers) =>
        headers.Count == 0 ? null : box.Seal(tenant.Value, Purpose, JsonSerializer.Serialize(headers));

    internal static IReadOnlyDictionary<string, string> Open(SecretBox box, TenantId tenant, byte[]? headers) =>
        headers is null
            ? new Dictionary<string, string>()
            : new Dictionary<string, string>(
                JsonSerializer.Deserialize<Dictionary<string, string>>(box.Open(tenant.Value, Purpose, headers))!,
                StringComparer.OrdinalIgnoreCase);

    internal static byte[] Reseal(SecretBox box, TenantId tenant, byte[] headers) =>
        box.Reseal(tenant.Value, Purpose, headers);
}
