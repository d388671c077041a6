using System.Reflection;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The headers that requests and answers have in common.</summary>
internal static class Headers
{
    public static IEnumerable<string> NamesFor(Endpoint endpoint, string method)
    {
        if (endpoint.Allowed is not null)
            yield return "TenantId";
        if (endpoint.Allowed is not null && TakesIdempotencyKey(method))
            yield return "IdempotencyKey";
        if (IsStream(endpoint))
        {
            yield return "LastEventIdHeader";
            yield return "LastEventId";
        }

        yield return "RequestId";
    }

    public static bool TakesIdempotencyKey(string method) => method is "POST" or "PUT" or "PATCH";

    public static bool IsStream(Endpoint endpoint) =>
        endpoint.Method.GetCustomAttributes<ReturnsAttribute>().Any(returns => returns.ContentType == "text/event-stream");

    public static JsonObject Parameters() => new()
    {
        ["RequestId"] = Parameter(
            "X-Request-ID", "header", "An id of yours for this request, given back and kept in logs and traces: 1 to 128 visible "
            + "ASCII characters. Anything else is replaced by an id of ours.", new JsonObject { ["type"] = "string" }),
        ["TenantId"] = Parameter(
            "X-Tenant-ID", "header", "Which organization to act for. Needed only for tokens of people who belong to several; it chooses "
            + "among those and never grants one.", new JsonObject { ["type"] = "string", ["format"] = "uuid" }),
        ["IdempotencyKey"] = Parameter(
            "Idempotency-Key", "header", ApiInfo.Idempotency,
            new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 512, ["examples"] = new JsonArray("8e03978e-40d5-43e8-bc93-6894a57f9324") }),
        ["LastEventIdHeader"] = Parameter(
            "Last-Event-ID", "header", "The id of the last event received: the stream goes on after it, on any instance.",
            new JsonObject { ["type"] = "integer", ["minimum"] = 0 }),
        ["LastEventId"] = Parameter(
            "last_event_id", "query", "The same, for clients that cannot set headers.",
            new JsonObject { ["type"] = "integer", ["minimum"] = 0 }),
    };

    public static JsonObject OfResponses() => new()
    {
        ["X-Request-ID"] = Header("The id under which the request is found again: yours, or one of ours.", "string"),
        ["Location"] = Header("Where the resource is.", "string", "uri-reference"),
        ["Retry-After"] = Header("Seconds until it is worth another try.", "integer"),
        ["RateLimit"] = Header("What is left of each limit and in how many seconds it is renewed, after draft-ietf-httpapi-ratelimit-headers.", "string"),
        ["RateLimit-Policy"] = Header("The limits that apply, after draft-ietf-httpapi-ratelimit-headers.", "string"),
        ["WWW-Authenticate"] = Header("How to authenticate (RFC 6750).", "string"),
        ["X-Idempotent-Replayed"] = Header("`true`: the answer is the one of an earlier request with the same Idempotency-Key.", "string"),
        ["ETag"] = Header("Changes whenever the content does.", "string"),
    };

    public static JsonObject Reference(params IEnumerable<string> names) =>
        new(names.Select(name => KeyValuePair.Create(name, (JsonNode?)new JsonObject { ["$ref"] = $"#/components/headers/{name}" })));

    private static JsonObject Parameter(string name, string place, string description, JsonObject schema) =>
        new() { ["name"] = name, ["in"] = place, ["description"] = description, ["schema"] = schema };

    private static JsonObject Header(string description, string type, string? format = null)
    {
        var schema = new JsonObject { ["type"] = type };
        if (format is not null)
            schema["format"] = format;
        return new JsonObject { ["description"] = description, ["schema"] = schema };
    }
}
