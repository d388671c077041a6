using System.Reflection;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>The answers of an endpoint: those that its attributes list, and the problems that its kind of endpoint may have.</summary>
internal sealed class Responses(Schemas schemas)
{
    private readonly SortedDictionary<int, JsonNode?> used = [];

    /// <summary>The problems that more than one operation answers with.</summary>
    public JsonObject Components() => new(used.Select(pair => KeyValuePair.Create(ProblemKinds.NameOf(pair.Key), pair.Value)));

    public JsonObject Of(Endpoint endpoint, string method)
    {
        var responses = new SortedDictionary<int, JsonNode?>();
        foreach (var answers in endpoint.Method.GetCustomAttributes<ReturnsAttribute>().GroupBy(returns => returns.Status))
            responses[answers.Key] = Describe(endpoint, method, answers.Key, [.. answers]);
        foreach (var status in ProblemKinds.For(endpoint, method).Where(status => !responses.ContainsKey(status)))
            responses[status] = Problem(status);
        return new(responses.Select(pair => KeyValuePair.Create($"{pair.Key}", pair.Value)));
    }

    private JsonObject Describe(Endpoint endpoint, string method, int status, List<ReturnsAttribute> answers)
    {
        var response = new JsonObject
        {
            ["description"] = string.Join(' ', answers.Select(answer => answer.Description).OfType<string>().DefaultIfEmpty(DefaultText(status, answers[0].ContentType))),
            ["headers"] = Headers.Reference(HeadersOf(endpoint, method, status)),
        };
        var content = new JsonObject();
        foreach (var answer in answers.Where(answer => answer.Type is not null || answer.ContentType != "application/json"))
            content[answer.ContentType] = Media(answer);
        if (content.Count > 0)
            response["content"] = content;
        return response;
    }

    private JsonObject Media(ReturnsAttribute answer)
    {
        if (answer.ContentType == "text/event-stream")
        {
            return new JsonObject
            {
                ["schema"] = new JsonObject { ["type"] = "string", ["description"] = "Server-sent events. The data of each is JSON, as x-event-data says." },
                ["x-event-data"] = answer.Type is null ? new JsonObject() : schemas.Inline(answer.Type),
            };
        }

        if (!answer.ContentType.EndsWith("json", StringComparison.Ordinal) || answer.Type is null)
            return new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } };
        // Newline-delimited: each line is one.
        if (answer.ContentType.EndsWith("ndjson", StringComparison.Ordinal))
        {
            return new JsonObject
            {
                ["schema"] = new JsonObject { ["type"] = "string", ["description"] = "One JSON object a line, as x-line says." },
                ["x-line"] = schemas.Inline(answer.Type),
            };
        }

        var media = new JsonObject { ["schema"] = schemas.OfResponse(answer.Type) };
        if (Examples.Of(answer.Type) is { } example)
            media["example"] = example;
        return media;
    }

    private JsonObject Problem(int status)
    {
        if (!used.ContainsKey(status))
        {
            used[status] = new JsonObject
            {
                ["description"] = ProblemKinds.TextOf(status),
                ["headers"] = Headers.Reference(ProblemKinds.HeadersOf(status)),
                ["content"] = new JsonObject
                {
                    [Requests.Problem.ContentType] = new JsonObject
                    {
                        ["schema"] = schemas.OfResponse(typeof(Problem)),
                        ["example"] = ProblemKinds.ExampleOf(status),
                    },
                },
            };
        }

        return new JsonObject { ["$ref"] = $"#/components/responses/{ProblemKinds.NameOf(status)}" };
    }

    private static IEnumerable<string> HeadersOf(Endpoint endpoint, string method, int status)
    {
        yield return RequestIds.Header;
        if (endpoint.Allowed is not null)
        {
            yield return "RateLimit";
            yield return "RateLimit-Policy";
        }
        else if (endpoint.Method.DeclaringType == typeof(OpenApiEndpoints))
        {
            yield return "ETag";
        }

        if (status is 201 or 202)
            yield return "Location";
        if (status >= 400)
            yield return "Retry-After";
        if (status < 300 && endpoint.Allowed is not null && Headers.TakesIdempotencyKey(method))
            yield return "X-Idempotent-Replayed";
    }

    private static string DefaultText(int status, string contentType) => status switch
    {
        200 when contentType == "text/event-stream" => "The events after the last one that the client has, as they happen.",
        200 => "Done.",
        201 => "Created.",
        202 => "Accepted: the work goes on.",
        204 => "Done; there is nothing to say.",
        _ => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) + ".",
    };
}
