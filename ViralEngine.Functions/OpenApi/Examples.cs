using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// Examples of requests and responses, by record: written ones (<c>Written/examples.json</c>), or composed from those
/// of their members. Tests check each against its schema.
/// </summary>
internal static class Examples
{
    private static readonly Lazy<JsonObject> Written = new(Read);

    /// <summary>OpenAPI's named examples.</summary>
    public static JsonObject Of(Type type) => new(
        (Written.Value[type.Name]?.AsObject() ?? new JsonObject { ["example"] = Compose(type) })
        .Select(
            each => KeyValuePair.Create(each.Key, (JsonNode?)new JsonObject { ["value"] = each.Value?.DeepClone() })));

    /// <summary>The example of a merge patch.</summary>
    public static JsonNode OfPatch(Type type) => First(type.Name + "Patch") ?? First(type.Name) ?? new JsonObject();

    public static JsonObject OfProblem(int status) =>
        new() { ["example"] = new JsonObject { ["value"] = ProblemKinds.ExampleOf(status) } };

    /// <summary>Newline-delimited JSON.</summary>
    public static string OfLines(Type type) => Value(type)!.ToJsonString(ApiJson.Options) + "\n";

    /// <summary>A stream.</summary>
    public static string OfStream(string data) => data switch
    {
        "TaskToken" => "retry: 1000\n\nid: 1\nevent: token\ndata: {\"text\":\"Late \"}\n\n"
            + "id: 2\nevent: done\ndata: {\"status\":\"completed\"}\n\n",
        "BatchEvent" => Stream("batch.started", """{"status":"in_progress","total":3,"settled":0}"""),
        "WorkflowEvent" => Stream("workflow.started", """{"status":"in_progress","run":1}"""),
        _ => Stream("task.started", """{"status":"in_progress","attempt":1}"""),
    };

    public static string OfText(string contentType) => contentType switch
    {
        "text/csv" => "id,status,agent_id,result\r\n7481,completed,echo,\"Late delivery, excellent support.\"\r\n",
        "text/vnd.mermaid" => "flowchart TD\n  __start --> draft\n",
        "text/html" => "<!doctype html><title>Viral Engine</title>",
        _ => "Late delivery, excellent support.",
    };

    private static string Stream(string type, string data) =>
        $"retry: 1000\n\nid: 2\nevent: {type}\n"
        + $"data: {{\"number\":2,\"type\":\"{type}\",\"data\":{data},\"created_at\":\"2030-01-31T12:00:00Z\"}}\n\n";

    private static JsonNode? First(string name) => Written.Value[name]?.AsObject().First().Value?.DeepClone();

    private static JsonNode? Value(Type type) => First(type.Name) ?? Compose(type);

    private static JsonNode? Compose(Type type)
    {
        if (type == typeof(object))
            return new JsonObject { ["openapi"] = "3.1.1" };
        if (type == typeof(Guid))
            return "019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10";
        if (type == typeof(DateTime))
            return "2030-01-31T12:00:00Z";
        if (type.IsGenericType && type.GetGenericArguments() is [{ } item])
            return Nullable.GetUnderlyingType(type) is null ? new JsonArray(Value(item)) : null;
        return type.Namespace?.StartsWith("ViralEngine.", StringComparison.Ordinal) == true && !type.IsEnum
            ? new JsonObject(type.GetProperties().Select(
                member => KeyValuePair.Create(Words.Snake(member.Name), Value(member.PropertyType))))
            : null;
    }

    private static JsonObject Read()
    {
        using var stream = typeof(Examples).Assembly.GetManifestResourceStream("written/examples.json")!;
        return JsonNode.Parse(stream)!.AsObject();
    }
}
