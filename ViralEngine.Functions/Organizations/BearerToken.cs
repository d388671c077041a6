using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>The credential of a request (RFC 6750, section 2.1).</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    /// <exception cref="ProblemException">401 if there is none.</exception>
    public static string Of(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            throw new ProblemException(
                Problem.Unauthorized("Send an API key or a token as Authorization: Bearer ….") with
                {
                    Headers = new Dictionary<string, string> { ["WWW-Authenticate"] = "Bearer realm=\"viral-engine\"" },
                });
        }

        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? header[Scheme.Length..].Trim()
            : throw new ProblemException(Problem.Unauthorized("Authorization must use the Bearer scheme."));
    }
}
