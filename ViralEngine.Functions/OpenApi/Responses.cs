using System.Reflection;
using System.Text.Json.Nodes;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// The responses of an endpoint: those that its attributes list, and the problems that its kind of endpoint may return.
/// </summary>
internal sealed class Responses(Schemas schemas)
{
    private readonly SortedDictionary<int, JsonNode?> used = [];

    /// <summary>The problems that several operations return.</summary>
    public JsonObject Components() =>
        new(used.Select(pair => KeyValuePair.Create(ProblemKinds.NameOf(pair.Key), pair.Value)));

    public JsonObject Of(Endpoint endpoint, string method)
    {
        var responses = new SortedDictionary<int, JsonNode?>();
        foreach (var answers in endpoint.Method.GetCustomAttributes<ReturnsAttribute>().GroupBy(
            returns => returns.Status))
            responses[answers.Key] = Describe(endpoint, method, answers.Key, [.. answers]);
        foreach (var status in ProblemKinds.For(endpoint, method).Where(status => !responses.ContainsKey(status)))
            responses[status] = Problem(status);
        // As "204", some generators would drop the stream's return type.
        return new(responses.Select(pair => KeyValuePair.Create(
            pair.Key == 204 && endpoint.IsStream ? "2XX" : $"{pair.Key}", pair.Value)));
    }

    private JsonObject Describe(Endpoint endpoint, string method, int status, List<ReturnsAttribute> answers)
    {
        var response = new JsonObject
        {
            ["description"] = string.Join(
                ' ',
                answers.Select(answer => answer.Description).OfType<string>()
                    .DefaultIfEmpty(DefaultText(status, answers[0].ContentType))),
            ["headers"] = Headers.Reference(HeadersOf(endpoint, method, status)),
        };
        var content = new JsonObject();
        foreach (var answer in answers.Where(
            answer => answer.Type is not null || answer.ContentType != "application/json"))
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
                ["schema"] = schemas.OfWritten(answer.EventData + "Stream"),
                ["x-event-data"] = schemas.OfWritten(answer.EventData!),
                ["example"] = Examples.OfStream(answer.EventData!),
            };
        }

        if (!answer.ContentType.EndsWith("json", StringComparison.Ordinal) || answer.Type is null)
            return new JsonObject
            {
                ["schema"] = new JsonObject { ["type"] = "string" },
                ["example"] = Examples.OfText(answer.ContentType),
            };
        // Newline-delimited JSON.
        if (answer.ContentType.EndsWith("ndjson", StringComparison.Ordinal))
        {
            return new JsonObject
            {
                ["schema"] = new JsonObject
                {
                    ["type"] = "string",
                    ["description"] = "One JSON object per line, described by x-line.",
                },
                ["x-line"] = schemas.OfResponse(answer.Type),
                ["example"] = Examples.OfLines(answer.Type),
            };
        }

        return new JsonObject
        {
            ["schema"] = schemas.OfResponse(answer.Type),
            ["examples"] = answer.Type == typeof(Problem)
                ? Examples.OfProblem(answer.Status)
                : Examples.Of(answer.Type),
        };
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
        else
        {
            // Pages for people, and the document itself.
            foreach (var name in (string[])
                [
                    "ETag", "Cache-Control", "Content-Security-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy",
                    "X-Content-Type-Options",
                ])
                yield return name;
        }

        if (endpoint.IsStream)
        {
            yield return "Cache-Control";
            yield return "X-Accel-Buffering";
        }

        if (endpoint.Method.IsDefined(typeof(StreamsResultAttribute), false))
        {
            yield return "Content-Disposition";
            yield return "X-Content-Type-Options";
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
        200 when contentType == "text/event-stream" => "The events after the last one received, as they happen.",
        200 => "OK.",
        201 => "Created.",
        202 => "Accepted; the work continues.",
        204 => "No content.",
        _ => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) + ".",
    };
}
