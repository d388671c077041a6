using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The headers that make a message a Standard Webhook (1.0.0, "Webhook Headers"): <c>webhook-id</c>,
/// <c>webhook-timestamp</c> (of the attempt, in Unix seconds) and <c>webhook-signature</c>, an HMAC-SHA256 under each
/// valid secret.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary><c>v1,…</c> for each secret, the current one first, separated by spaces.</summary>
    public static string Sign(IEnumerable<string> secrets, string messageId, DateTimeOffset at, string payload)
    {
        var signed = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{messageId}.{at.ToUnixTimeSeconds()}.{payload}"));
        return string.Join(
            ' ',
            secrets.Select(
                secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(WebhookSecret.KeyOf(secret), signed))));
    }
}
