using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The API's OpenAPI 3.1 document, made from the code itself at the first request and kept as bytes.</summary>
internal sealed class ApiDocument(EndpointCatalog endpoints)
{
    private static readonly JsonSerializerOptions Readable = new(ApiJson.Options) { WriteIndented = true };
    private readonly Lazy<Content> content = new(() => new Content(Build(endpoints)));

    public byte[] Bytes => content.Value.Bytes;

    /// <summary>A strong entity tag (RFC 9110, section 8.8.3).</summary>
    public string ETag => content.Value.ETag;

    internal static JsonObject Build(EndpointCatalog endpoints) => new DocumentBuilder(endpoints).Build();

    private sealed class Content(JsonObject document)
    {
        public byte[] Bytes { get; } = JsonSerializer.SerializeToUtf8Bytes(document, Readable);

        public string ETag => field ??= $"\"{Convert.ToHexStringLower(SHA256.HashData(Bytes))[..32]}\"";
    }
}
