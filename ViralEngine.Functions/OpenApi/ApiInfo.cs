using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The description of the API as a whole.</summary>
internal static class ApiInfo
{
    public const string Idempotency =
        """
        Makes the request safe to retry: it takes effect once, whatever is lost on the way. After
        draft-ietf-httpapi-idempotency-key-header; 1 to 255 visible ASCII characters, bare or in double quotes.

        - A key is scoped to one principal of one organization, one method and one route, for 24 hours.
        - The same key with the same request (method, path, query and body) returns the stored response, with
          `X-Idempotent-Replayed: true`.
        - The same key with a different request: 422. While the first is in progress: 409 with `Retry-After`.
        - Responses of executed requests are stored: successes, and 404, 409 and 422. Others, such as 401, 403, 429,
          validation failures and server errors, are not: the key can be used again.
        """;

    public static JsonObject Describe(string address) => new()
    {
        ["title"] = "Viral Engine",
        ["version"] = typeof(ApiInfo).Assembly.GetName().Version!.ToString(3),
        ["contact"] =
            new JsonObject { ["name"] = "The operators of this installation", ["url"] = $"{address}/api/docs" },
        ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
        ["summary"] = "Runs AI-agent work: tasks, batches, and workflows that wait for people.",
        ["description"] =
            $"""
            ## Authentication
            Send an API key or a JSON Web Token as `Authorization: Bearer …`. A key belongs to one organization. A
            token's subject may be a member of several: `X-Tenant-ID` then selects one, and grants no access. Each
            operation names the roles that may call it: `owner`, `admin`, `operator`, `approver`, `viewer`; `platform`
            is the key above all organizations.

            ## Conventions
            JSON in UTF-8 with fields in snake_case. Unknown and duplicate fields are rejected. Ids are UUIDs; times are
            RFC 3339 and returned in UTC. Lists take `limit` (20 by default, at most {PageQuery.MaxLimit}) and `cursor`,
            and return `next_cursor` until the last page; a page may be shorter than `limit`, even empty. GET routes
            also answer HEAD. An optional field may be null, which means the same as leaving it out: what was read can
            be sent back.

            PATCH takes a JSON merge patch (RFC 7396), `application/merge-patch+json` or `application/json`: omitted
            fields are kept, and null resets a field to its default.

            ## Errors
            Errors are problem details (RFC 9457) as `application/problem+json`. `type` identifies the problem, `errors`
            names each invalid field, and `request_id` is the id to quote to support; every response has it in
            `X-Request-ID`. A method that a route does not support is 405 with `Allow`. A resource of another
            organization is 404, as if it did not exist.

            ## Retries
            Every POST, PUT and PATCH takes an `Idempotency-Key`, and then takes effect once, however often it is sent.
            The header's description has the rules.

            ## Limits
            A body has at most {RequestBody.MaxBytes:N0} bytes and {RequestBody.MaxDepth} levels unless its operation
            says otherwise; it may be compressed ({ContentCodings.Accepted}). One that arrives too slowly is 408.
            Requests, running work and money are limited by the organization's plan. `RateLimit` and `RateLimit-Policy`
            show what is left; beyond a limit, the response is 429 with `Retry-After`.

            ## Streams
            Streams are server-sent events. The id of each event is its number: send the last one as `Last-Event-ID`, to
            any instance, and the stream resumes after it. A stream that has ended and has no new events is 204. If the
            id is not one of this stream, `reset` is sent first, and then everything from the start. A stream ends when
            its caller may no longer read it. `retry` tells a browser when to reconnect. `x-event-data` names the schema
            of each event's data.

            ## Webhooks
            Messages follow Standard Webhooks 1.0.0; `webhooks` in this document has one for each type of event. Respond
            with 2xx, or the message is retried for days. 410 disables the endpoint.
            """,
    };

    public static JsonObject Security() => new()
    {
        ["type"] = "http",
        ["scheme"] = "bearer",
        ["description"] =
            "An API key of an organization (`vk_…`), a JSON Web Token of the configured issuer, or the platform key.",
    };
}
