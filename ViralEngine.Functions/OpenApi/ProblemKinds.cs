using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The problems that endpoints have in common, and which endpoint may have which.</summary>
internal static class ProblemKinds
{
    public static IEnumerable<int> For(Endpoint endpoint, string method)
    {
        var isPublic = endpoint.Allowed is null && !endpoint.IsForPeople;
        yield return 400;
        if (!isPublic)
        {
            yield return 401;
            yield return 403;
            yield return 429;
        }

        if (endpoint.Matcher.Template.Parameters.Count > 0)
            yield return 404;
        if (method is not ("GET" or "HEAD"))
            yield return 409;
        if (method is not ("GET" or "HEAD"))
        {
            yield return 408;
            yield return 413;
            yield return 415;
        }

        if (!isPublic && Headers.TakesIdempotencyKey(method))
            yield return 422;
        yield return 500;
        if (!isPublic)
            yield return 503;
    }

    public static string NameOf(int status) => status switch
    {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        408 => "BodyTooSlow",
        409 => "Conflict",
        413 => "BodyTooLarge",
        415 => "UnsupportedMediaType",
        422 => "KeyReused",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "Unavailable",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not a problem that endpoints share."),
    };

    public static string TextOf(int status) => status switch
    {
        400 => "The request is not valid: `errors` names each field at fault and the rule it breaks.",
        401 => "There is no credential, or it is not valid any more.",
        403 => "The credential's role may not do this, or it is not for the organization that X-Tenant-ID names.",
        404 => "There is no such resource, or it is another organization's.",
        408 => "The body arrived too slowly.",
        409 => "The state of the resource does not allow it, or a request with the same Idempotency-Key is still under way.",
        413 => "The body is larger than is accepted here.",
        415 => "The body's content type or encoding is not one that is taken here.",
        422 => "The Idempotency-Key was used before for another request.",
        429 => "A limit is reached: of requests, of the plan, or of money. `Retry-After` says when to come back.",
        503 => "The database cannot be reached for the moment. `Retry-After` says when to try again.",
        _ => "Internal error. It is logged under the request id.",
    };

    public static IEnumerable<string> HeadersOf(int status)
    {
        string[] common = [RequestIds.Header, "RateLimit", "RateLimit-Policy"];
        return status switch
        {
            401 or 403 => [.. common, "WWW-Authenticate"],
            404 or 422 => [.. common, "X-Idempotent-Replayed"],
            409 => [.. common, "Retry-After", "X-Idempotent-Replayed"],
            415 => [.. common, "Accept-Encoding"],
            429 or 503 => [.. common, "Retry-After"],
            _ => common,
        };
    }

    public static JsonObject ExampleOf(int status)
    {
        var (code, title, detail) = status switch
        {
            400 => ("validation-failed", "The request is not valid.", "See errors: each names a field and the rule it breaks."),
            401 => ("unauthorized", "Authentication failed.", "The API key is unknown or revoked."),
            403 => ("forbidden", "Permission denied.", "The role viewer may not call this endpoint. Allowed: operator, admin, owner."),
            404 => ("not-found", "Not found.", "There is no such task."),
            409 => ("task-ended", "The state of the resource does not allow this request.", "The task has ended already: it is completed."),
            408 => ("body-too-slow", "The body arrived too slowly.", "At least 1,000 bytes per second are expected, after 5 s."),
            413 => ("body-too-large", "The body is too large.", "It must have at most 1,048,576 bytes."),
            415 => ("unsupported-media-type", "The content type is not supported.", "Send Content-Type: application/json."),
            422 => ("idempotency-key-reused", "The Idempotency-Key belongs to another request.", "Use a new key for a new request."),
            429 => ("rate-limited", "Too many requests.", "Try again in 12 seconds."),
            503 => ("unavailable", "The database cannot be reached.", "Try again."),
            _ => ("internal", "Internal error.", "It is logged under the request id. Try again."),
        };
        var example = new JsonObject
        {
            ["status"] = status,
            ["title"] = title,
            ["detail"] = detail,
            ["type"] = "urn:viral-engine:problem:" + code,
            ["instance"] = "/api/tasks",
            ["request_id"] = "019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10",
        };
        if (status == 400)
            example["errors"] = new JsonObject { ["description"] = new JsonArray("Is required.") };
        return example;
    }
}
