using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// The address under which clients reach this API, for links: the configured one, else the one a trusted proxy reports,
/// else the request's own.
/// </summary>
internal sealed class PublicAddress(IOptions<EdgeOptions> options)
{
    private readonly string? configured = options.Value.PublicUrl?.TrimEnd('/');

    /// <summary>Without a trailing slash.</summary>
    public string Of(HttpRequest request)
    {
        if (configured is not null)
            return configured;
        if (!options.Value.Trusts(request.HttpContext.Connection.RemoteIpAddress))
            return $"{request.Scheme}://{request.Host}";
        var headers = request.Headers;
        var isPlain = headers.ContainsKey("X-Forwarded-Proto") || headers.ContainsKey("X-Forwarded-Host");
        var told = Last(isPlain ? headers["X-Forwarded-Proto"].ToString() : ForwardedHeader.Last(headers, "proto"));
        var scheme = told is "https" or "http" ? told : request.Scheme;
        var named = Last(isPlain ? headers["X-Forwarded-Host"].ToString() : ForwardedHeader.Last(headers, "host"));
        var host = named.Length > 0 && Uri.CheckHostName(new HostString(named).Host) != 0
            ? named
            : request.Host.ToString();
        return $"{scheme}://{host}";
    }

    /// <summary>The last of several values, which the proxy itself has written.</summary>
    private static string Last(string? header) => (header ?? "").Split(',')[^1].Trim().ToLowerInvariant();
}
