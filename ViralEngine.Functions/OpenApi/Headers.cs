using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The headers that requests and responses have in common.</summary>
internal static class Headers
{
    public static IEnumerable<string> NamesFor(Endpoint endpoint, string method)
    {
        if (endpoint.Allowed is not null)
            yield return "TenantId";
        if (endpoint.Allowed is not null && TakesIdempotencyKey(method))
            yield return "IdempotencyKey";
        if (endpoint.IsStream)
        {
            yield return "LastEventIdHeader";
            yield return "LastEventId";
        }

        yield return "RequestId";
    }

    public static bool TakesIdempotencyKey(string method) => method is "POST" or "PUT" or "PATCH";

    public static JsonObject Parameters() => new()
    {
        ["RequestId"] = Parameter(
            "X-Request-ID", "header",
            "Your id for this request, returned in the response and recorded in logs and traces: 1 to 128 visible "
            + "ASCII characters. Anything else is replaced by a generated id.", new JsonObject { ["type"] = "string" }),
        ["TenantId"] = Parameter(
            "X-Tenant-ID", "header",
            "The organization to act for. Needed only for tokens of people who belong to several; it selects "
            + "one of them and grants no access.", new JsonObject { ["type"] = "string", ["format"] = "uuid" }),
        ["IdempotencyKey"] = Parameter(
            "Idempotency-Key", "header", ApiInfo.Idempotency,
            new JsonObject
            {
                ["type"] = "string",
                ["minLength"] = 1,
                ["maxLength"] = 512,
                ["examples"] = new JsonArray("8e03978e-40d5-43e8-bc93-6894a57f9324"),
            }),
        ["LastEventIdHeader"] = Parameter(
            "Last-Event-ID", "header",
            "The id of the last event received. The stream resumes after it, on any instance.",
            new JsonObject { ["type"] = "integer", ["format"] = "int32", ["minimum"] = 0 }),
        ["LastEventId"] = Parameter(
            "last_event_id", "query", "The same, for clients that cannot set headers.",
            new JsonObject { ["type"] = "integer", ["format"] = "int32", ["minimum"] = 0 }),
    };

    public static JsonObject OfResponses() => new()
    {
        ["X-Request-ID"] = Header("The id of the request in logs and traces: yours, or a generated one.", "string"),
        ["Location"] = Header("The URL of the resource.", "string", "uri-reference"),
        ["Accept-Encoding"] = Header("The encodings accepted for a request body.", "string"),
        ["Retry-After"] = Header("Seconds to wait before the next attempt.", "integer", "int32"),
        ["RateLimit"] = Header(
            "The remaining quota of each limit and the seconds until it resets (draft-ietf-httpapi-ratelimit-headers).",
            "string"),
        ["RateLimit-Policy"] = Header("The limits that apply (draft-ietf-httpapi-ratelimit-headers).", "string"),
        ["WWW-Authenticate"] = Header("How to authenticate (RFC 6750).", "string"),
        ["X-Idempotent-Replayed"] = Header(
            "`true` if this is the response to an earlier request with the same Idempotency-Key.", "string"),
        ["Content-Disposition"] = Header("The suggested file name (RFC 6266).", "string"),
        ["Cache-Control"] = Header("Whether and for how long the response may be cached.", "string"),
        ["Content-Security-Policy"] = Header("What the page may load: nothing from other sites.", "string"),
        ["Cross-Origin-Opener-Policy"] = Header(
            "`same-origin`: pages of other sites that open this one cannot reach into it.", "string"),
        ["Referrer-Policy"] = Header("Which referrer the page's links send: none.", "string"),
        ["X-Content-Type-Options"] = Header("`nosniff`: do not guess the content type.", "string"),
        ["X-Accel-Buffering"] = Header("`no`: proxies must not buffer the stream.", "string"),
        ["ETag"] = Header("Changes whenever the content does.", "string"),
    };

    public static JsonObject Reference(params IEnumerable<string> names) =>
        new(names.Select(name => KeyValuePair.Create(
            name, (JsonNode?)new JsonObject { ["$ref"] = $"#/components/headers/{name}" })));

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
