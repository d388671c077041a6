using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ViralEngine.Core.Agents;

/// <summary>A request's JSON body, whole, so that it goes out with its length: not every server reads a chunked one.</summary>
internal static class JsonBody
{
    public static HttpContent Of<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        return content;
    }
}
