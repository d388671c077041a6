using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// The API's OpenAPI 3.1 document, generated from the code at the first request. It contains the reader's address, and
/// is cached for the last one.
/// </summary>
internal sealed class ApiDocument(EndpointCatalog endpoints)
{
    // A placeholder host.
    private const string Anywhere = "https://anywhere.invalid";
    private static readonly JsonSerializerOptions Readable = new(ApiJson.Options) { WriteIndented = true };
    private readonly Lazy<string> text = new(() => JsonSerializer.Serialize(Build(endpoints, Anywhere), Readable));
    private volatile Content? last;

    /// <param name="address">The address of the API for clients.</param>
    public Content At(string address)
    {
        if (last is { } kept && kept.Address == address)
            return kept;
        var written = JsonSerializer.Serialize(address, ApiJson.Options)[1..^1];
        return last = new Content(
            address, Encoding.UTF8.GetBytes(text.Value.Replace(Anywhere, written, StringComparison.Ordinal)));
    }

    internal static JsonObject Build(EndpointCatalog endpoints, string address) =>
        new DocumentBuilder(endpoints, address).Build();

    internal sealed class Content(string address, byte[] bytes)
    {
        public string Address => address;

        public byte[] Bytes => bytes;

        /// <summary>A strong entity tag (RFC 9110, section 8.8.3).</summary>
        public string ETag => field ??= $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\"";
    }
}
