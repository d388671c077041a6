using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Requests;

/// <summary>The id of a request in logs and traces: the caller's own, or a new one.</summary>
internal static class RequestIds
{
    public const string Header = "X-Request-ID";
    private const int MaxLength = 128;

    /// <summary>
    /// Uses the caller's id if it has 1 to 128 visible ASCII characters, else generates one, and returns it in the
    /// response.
    /// </summary>
    public static string Assign(HttpContext http)
    {
        var given = http.Request.Headers[Header].ToString();
        var id = given.Length is > 0 and <= MaxLength && given.All(c => c is > ' ' and < '\x7f')
            ? given
            : Guid.CreateVersion7().ToString();
        http.TraceIdentifier = id;
        http.Response.Headers[Header] = id;
        return id;
    }

    public static string Of(HttpContext http) => http.TraceIdentifier;
}
