using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>What holds for the whole API, in words.</summary>
internal static class ApiInfo
{
    public const string Idempotency =
        """
        Makes the request safe to send again: it takes effect once, whatever is lost on the way. After
        draft-ietf-httpapi-idempotency-key-header; 1 to 255 visible ASCII characters, bare or in double quotes.

        - A key counts for one principal of one organization, one method and one route, for 24 hours.
        - The same key with the same request (method, path, query and body) gives the stored answer, with `X-Idempotent-Replayed: true`.
        - The same key with another request: 422. While the first is still under way: 409 with `Retry-After`.
        - Kept are answers of requests that were executed: successes, and 404, 409 and 422. Others, such as 401, 403, 429, validation
          failures and faults of ours, are not: the key can be used again.
        """;

    public static JsonObject Describe(string address) => new()
    {
        ["title"] = "Viral Engine",
        ["version"] = typeof(ApiInfo).Assembly.GetName().Version!.ToString(3),
        ["contact"] = new JsonObject { ["name"] = "The people who run this installation", ["url"] = $"{address}/api/docs" },
        ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
        ["summary"] = "Runs AI-agent work: tasks, batches, and workflows that wait for people.",
        ["description"] =
            $"""
            ## Authentication
            Send an API key or a JSON Web Token as `Authorization: Bearer …`. A key belongs to one organization. A token's subject may be a
            member of several: `X-Tenant-ID` then chooses one, and never grants one. Each call names the roles that may make it: `owner`,
            `admin`, `operator`, `approver`, `viewer`; `platform` is the key that stands above organizations.

            ## How it is written
            JSON in UTF-8 with fields in snake_case; a field that is not known is refused, and so is one given twice. Ids are UUIDs, times
            are RFC 3339 and come back in UTC. Lists take `limit` (20 unless told, at most {PageQuery.Most}) and `cursor`, and answer
            `next_cursor` until there is no more: a page may be shorter than asked. GET routes answer HEAD. What is not required may be
            null, which says the same as leaving it out: what was read can be sent again.

            PATCH takes a JSON merge patch (RFC 7396), `application/merge-patch+json` or `application/json`: what is left out stays, and
            null makes a field what it is when it is left out of a new one.

            ## What can go wrong
            Errors are problem details (RFC 9457) as `application/problem+json`. `type` says which one it is, `errors` names each field at
            fault, and `request_id` is the id to ask us about; it is also in `X-Request-ID`, on every answer. A method that a route does not
            know is 405 with `Allow`; what belongs to another organization is 404, as if it were not there.

            ## Sending again
            Every POST, PUT and PATCH takes an `Idempotency-Key`, and then has its effect once however often it is sent. The header's own
            description has the rules.

            ## Limits
            A body has at most {RequestBody.MostBytes:N0} bytes and {RequestBody.MostDepth} levels unless its operation says otherwise; it may
            be compressed ({ContentCodings.Accepted}). One that comes too slowly is 408.
            Requests, running work and money are limited by the organization's plan. `RateLimit` and `RateLimit-Policy` tell what is left;
            past a limit it is 429 with `Retry-After`.

            ## Streams
            Streams are server-sent events. The id of each event is its number: send the last one back as `Last-Event-ID`, to any instance,
            and the stream goes on after it. A stream of something that has ended, with nothing new to tell, is 204. Where the place is not
            one of this stream, `reset` comes first, and then everything from the start. A stream ends when its caller may no longer read it.
            `retry` tells a browser when to come back. What each event has as its data is named by `x-event-data`.

            ## Webhooks
            Messages are Standard Webhooks 1.0.0; the document's `webhooks` has one for each type of event. Answer 2xx, or the message is
            sent again for days; 410 disables the endpoint.
            """,
    };

    public static JsonObject Security() => new()
    {
        ["type"] = "http",
        ["scheme"] = "bearer",
        ["description"] = "An API key of an organization (`vk_…`), a JSON Web Token of the configured issuer, or the platform key.",
    };
}
