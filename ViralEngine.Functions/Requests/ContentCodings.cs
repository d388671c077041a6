using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Bodies that are compressed on the way (RFC 9110, section 8.4). What comes out counts against the limits, so that a small body
/// cannot become a large one.
/// </summary>
internal static class ContentCodings
{
    public const string Accepted = "gzip, deflate, br";

    /// <summary>The body decoded, with the request's headers as if it had come so.</summary>
    /// <exception cref="ProblemException">415: a coding that is not known, or several.</exception>
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
                415, "unsupported-content-coding", "The content encoding is not supported.", $"Send the body uncompressed, or as one of {Accepted}.")
            {
                // RFC 9110, section 12.5.3: on a 415 it says what requests may have.
                Headers = new Dictionary<string, string> { ["Accept-Encoding"] = Accepted },
            }),
        };
        if (decoded == body)
            return body;
        request.Headers.Remove("Content-Encoding");
        request.ContentLength = null;
        return decoded;
    }

    /// <summary>Whether an exception tells that a body is not what its coding says.</summary>
    public static bool Explains(Exception e) => e is InvalidDataException or InvalidOperationException { Source: "System.IO.Compression.Brotli" };

    public static Problem Broken() => Problem.Validation("body", "Does not match its Content-Encoding.");
}
