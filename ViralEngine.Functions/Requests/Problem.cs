using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Requests;

/// <summary>An error answer after RFC 9457. <see cref="Errors"/> names each field at fault and the rule it breaks.</summary>
internal sealed record Problem(int Status, string Code, string Title, string? Detail = null) : IResult
{
    public const string ContentType = "application/problem+json";
    private const string TypePrefix = "urn:viral-engine:problem:";

    [JsonIgnore]
    public string Code { get; init; } = Code;

    public string Type => TypePrefix + Code;

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Instance { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RequestId { get; init; }

    /// <summary>By field, in the words of the request: <c>steps[2].name</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>Whole seconds until it is worth another try; becomes the <c>Retry-After</c> header.</summary>
    [JsonIgnore]
    public int? RetryAfter { get; init; }

    /// <summary>Further headers of the answer.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    public static Problem Validation(IReadOnlyDictionary<string, string[]> errors) =>
        new(400, "validation-failed", "The request is not valid.", "See errors: each names a field and the rule it breaks.")
        {
            Errors = errors,
        };

    public static Problem Validation(string field, string rule) =>
        Validation(new Dictionary<string, string[]> { [field] = [rule] });

    public static Problem Unauthorized(string detail) => new(401, "unauthorized", "Who calls is not known.", detail)
    {
        Headers = new Dictionary<string, string> { ["WWW-Authenticate"] = "Bearer realm=\"viral-engine\", error=\"invalid_token\"" },
    };

    public static Problem Forbidden(string detail) => new(403, "forbidden", "The caller may not do this.", detail)
    {
        Headers = new Dictionary<string, string> { ["WWW-Authenticate"] = "Bearer realm=\"viral-engine\", error=\"insufficient_scope\"" },
    };

    public static Problem NotFound(string what) => new(404, "not-found", "Not found.", $"There is no such {what}.");

    public static Problem Conflict(string code, string detail) => new(409, code, "The state of the resource does not allow this.", detail);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        if (RetryAfter is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (name, value) in Headers ?? new Dictionary<string, string>())
            response.Headers[name] = value;

        var told = this with { Instance = httpContext.Request.Path, RequestId = RequestIds.Of(httpContext) };
        await response.WriteAsJsonAsync(told, ApiJson.Options, ContentType, CancellationToken.None);
    }
}

/// <summary>Bad input found where an answer cannot be returned; the edge turns it into its problem.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Title)
{
    public Problem Problem { get; } = problem;
}
