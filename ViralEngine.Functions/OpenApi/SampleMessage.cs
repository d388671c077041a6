using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>A sample message: a value for each required member of its written schema.</summary>
internal static class SampleMessage
{
    public static JsonNode Of(string type) => Sample(WrittenSchemas.Of(EventSchemas.NameOf(type) + "Message"))!;

    private static JsonNode? Sample(JsonObject schema)
    {
        if (schema["$ref"] is JsonValue reference)
        {
            var name = ((string)reference!).Split('/')[^1];
            return WrittenSchemas.EnumOf(name) is { } words
                ? (JsonNode)RequestBinder.EnumWords(words).First().Word
                : Sample(WrittenSchemas.Of(name));
        }

        if (schema["enum"] is JsonArray values)
            return values[0]!.DeepClone();
        return (string?)schema["type"] switch
        {
            "object" => new JsonObject((schema["required"]?.AsArray() ?? []).Select(name =>
                KeyValuePair.Create((string)name!, Sample(schema["properties"]![(string)name!]!.AsObject())))),
            "array" => new JsonArray(),
            "integer" => 1,
            "number" => 0.5,
            _ => (string?)schema["format"] switch
            {
                "uuid" => "019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10",
                "date-time" => "2030-01-31T12:00:00Z",
                _ => "text",
            },
        };
    }
}
