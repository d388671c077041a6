using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests;

/// <summary>Reading resources and templates as JSON.</summary>
internal static class ResourceJson
{
    public static string Type(this JsonObject resource) => resource["type"]!.GetValue<string>();

    public static string Id(this JsonObject resource) => resource["id"]!.GetValue<string>();

    /// <summary>The value at a path of property names, as text; null when there is none.</summary>
    public static string? Text(this JsonObject resource, string path)
    {
        JsonNode? node = resource;
        foreach (var name in path.Split('/'))
            node = (node as JsonObject)?[name];
        return node?.ToString();
    }

    /// <summary>Every object at and below a node.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonNode? node) => node switch
    {
        JsonObject o => o.Select(member => member.Value).SelectMany(Objects).Prepend(o),
        JsonArray a => a.SelectMany(Objects),
        _ => [],
    };
}
