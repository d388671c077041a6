using System.Text.Json.Nodes;
using ViralEngine.Core.Events;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// The schemas of each type of event: an event of a history or stream (<c>TaskStartedEvent</c>), the webhook message
/// (<c>TaskStartedMessage</c>), and the data of both.
/// </summary>
internal static class EventSchemas
{
    /// <summary>The schema name of a type: <c>task.started</c> → <c>TaskStarted</c>.</summary>
    public static string NameOf(string type) =>
        string.Concat(type.Split('.', '_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>In the shorthand of written schemas.</summary>
    public static IEnumerable<KeyValuePair<string, JsonObject>> Of(IReadOnlyDictionary<string, JsonObject> events)
    {
        yield return Named("EventType", new JsonObject
        {
            ["type"] = "string",
            ["enum"] = Array(events.Keys),
            ["description"] = "What happened.",
        });
        yield return Named(
            "MessageSubject", Record("The subject of a message.", ("subject_id", Text("uuid")), ("number", Whole())));
        foreach (var (type, data) in events)
        {
            var name = NameOf(type);
            var own = data.DeepClone().AsObject();
            own["$open"] = true;
            yield return Named(name + "Data", own);
            yield return Named(name + "Event", Record(
                (string)data["description"]!, ("number", Whole()), ("type", Word(type)),
                ("data", Reference(name + "Data")),
                ("created_at", Text("date-time"))));
            yield return Named(name + "Message", Record(
                (string)data["description"]!, ("type", Word(type)), ("timestamp", Text("date-time")),
                ("data", Reference(name + (HasSubject(type) ? "MessageData" : "Data")))));
            if (HasSubject(type))
            {
                yield return Named(name + "MessageData", new JsonObject
                {
                    ["$extends"] = Array(["MessageSubject", name + "Data"]),
                    ["$open"] = true,
                });
            }
        }

        yield return Union("TaskEvent", "One event in a task's history.", events, "task");
        yield return Union("BatchEvent", "One event in a batch's history.", events, "batch");
        yield return Union("WorkflowEvent", "One event in a workflow's history.", events, "workflow", "approval");
        foreach (var stream in (string[])["TaskEvent", "BatchEvent", "WorkflowEvent", "TaskToken"])
        {
            yield return Named(stream + "Stream", new JsonObject
            {
                ["type"] = "string",
                ["description"] = $"Server-sent events (text/event-stream). The data of each is a {stream} in JSON.",
                ["contentMediaType"] = "text/event-stream",
                ["contentSchema"] = Reference(stream),
            });
        }
    }

    // A test message has no subject.
    private static bool HasSubject(string type) => type != EventTypes.WebhookTest;

    private static KeyValuePair<string, JsonObject> Union(
        string name, string description, IReadOnlyDictionary<string, JsonObject> events,
        params string[] kinds) => Named(name, new JsonObject
        {
            ["description"] = description,
            ["$union"] = new JsonObject
            {
                ["type"] = new JsonObject(events.Keys
                    .Where(type => kinds.Contains(type.Split('.')[0]))
                    .Select(type => KeyValuePair.Create(type, (JsonNode?)(NameOf(type) + "Event")))),
            },
        });

    private static KeyValuePair<string, JsonObject> Named(string name, JsonObject schema) =>
        KeyValuePair.Create(name, schema);

    private static JsonObject Record(string description, params (string Name, JsonObject Schema)[] members) => new()
    {
        ["description"] = description,
        ["properties"] = new JsonObject(
            members.Select(member => KeyValuePair.Create(member.Name, (JsonNode?)member.Schema))),
        ["required"] = Array(members.Select(member => member.Name)),
        ["$open"] = true,
    };

    private static JsonObject Reference(string name) => new() { ["$ref"] = name };

    private static JsonObject Word(string word) => new() { ["type"] = "string", ["enum"] = Array([word]) };

    private static JsonObject Text(string format) => new() { ["type"] = "string", ["format"] = format };

    private static JsonObject Whole() => new() { ["type"] = "integer", ["format"] = "int32" };

    private static JsonArray Array(IEnumerable<string> words) => new([.. words.Select(word => (JsonNode)word)]);
}
