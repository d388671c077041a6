using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// <c>Forwarded</c> (RFC 7239), for proxies that write it in place of the <c>X-Forwarded-</c> headers. What it says is
/// as good as who wrote it: only the last element is read, which the nearest proxy has added.
/// </summary>
internal static class ForwardedHeader
{
    /// <param name="name">for, host or proto.</param>
    public static string? Last(IHeaderDictionary headers, string name)
    {
        foreach (var pair in headers["Forwarded"].ToString().Split(',')[^1].Split(';'))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && pair.AsSpan(0, equals).Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                return pair[(equals + 1)..].Trim().Trim('"');
        }

        return null;
    }
}
