using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The problems that endpoints share, and which endpoints return them.</summary>
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
        400 => "The request is not valid. `errors` names each invalid field and its problem.",
        401 => "The credential is missing, invalid, expired or revoked.",
        403 => "The caller's role does not allow this, "
            + "or the credential does not belong to the organization in X-Tenant-ID.",
        404 => "The resource does not exist, or belongs to another organization.",
        408 => "The body arrived too slowly.",
        409 => "The state of the resource does not allow this request, "
            + "or a request with the same Idempotency-Key is in progress.",
        413 => "The body is too large.",
        415 => "The body's content type or encoding is not supported.",
        422 => "The Idempotency-Key was used for a different request.",
        429 => "A request limit, plan limit or budget is reached. `Retry-After` says when to try again.",
        503 => "The service is temporarily unavailable. `Retry-After` says when to try again.",
        _ => "Internal error, logged under the request id.",
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
            400 => (
                "validation-failed", "The request is not valid.", "See errors: each names a field and its problem."),
            401 => ("unauthorized", "Authentication failed.", "The API key is unknown or revoked."),
            403 => (
                "forbidden", "Permission denied.",
                "The role viewer may not call this endpoint. Allowed: operator, admin, owner."),
            404 => ("not-found", "Not found.", "There is no such task."),
            409 => (
                "task-ended", "The state of the resource does not allow this request.",
                "The task has already ended: it is completed."),
            408 => ("body-too-slow", "The body arrived too slowly.",
                "Send at least 1,000 bytes per second on average; this is checked after 5 s of waiting."),
            413 => ("body-too-large", "The body is too large.", "It must have at most 1,048,576 bytes."),
            415 => (
                "unsupported-media-type", "The content type is not supported.", "Send Content-Type: application/json."),
            422 => ("idempotency-key-reused", "The Idempotency-Key was used for a different request.",
                "A key identifies one request: the same method, path, query and body. "
                + "Use a new key for a new request."),
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
