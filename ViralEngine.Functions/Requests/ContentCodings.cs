using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Compressed request bodies (RFC 9110, section 8.4). Limits apply to the decoded size, so that a small body cannot
/// expand beyond them.
/// </summary>
internal static class ContentCodings
{
    public const string Accepted = "gzip, deflate, br";

    /// <summary>Decodes the body, and adjusts the request's headers accordingly.</summary>
    /// <exception cref="ProblemException">415 for an unknown coding or several.</exception>
    public static Stream Decode(HttpRequest request, Stream body)
    {
        var coding = request.Headers.ContentEncoding.ToString().Trim();
        Stream decoded = coding.ToLowerInvariant() switch
        {
            "" or "identity" => body,
            "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(body, CompressionMode.Decompress),
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            _ => throw new ProblemException(new Problem(
                415, "unsupported-content-coding", "The content encoding is not supported.",
                $"Send the body uncompressed, or as one of {Accepted}.")
            {
                // RFC 9110, section 12.5.3: on a 415, it lists the codings that requests may use.
                Headers = new Dictionary<string, string> { ["Accept-Encoding"] = Accepted },
            }),
        };
        if (decoded == body)
            return body;
        request.Headers.Remove("Content-Encoding");
        request.ContentLength = null;
        return decoded;
    }

    /// <summary>Whether an exception means that a body does not match its coding.</summary>
    public static bool Explains(Exception e) =>
        e is InvalidDataException or InvalidOperationException { Source: "System.IO.Compression.Brotli" };

    public static Problem Broken() => Problem.Validation("body", "Does not match its Content-Encoding.");
}
