using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Texts;

namespace ViralEngine.Functions.Requests;

/// <summary>An error response (RFC 9457). <see cref="Errors"/> names each invalid field and its problem.</summary>
internal sealed record Problem(int Status, string Code, string Title, string? Detail = null) : IResult
{
    public const string ContentType = "application/problem+json";
    private const int MaxErrors = 100;
    private const int MaxErrorCharacters = 500;
    private const string TypePrefix = "urn:viral-engine:problem:";

    [JsonIgnore]
    public string Code { get; init; } = Code;

    public string Type => TypePrefix + Code;

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Instance { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RequestId { get; init; }

    /// <summary>By the field's path in the request: <c>steps[2].name</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>Whole seconds to wait before retrying; sent as <c>Retry-After</c>.</summary>
    [JsonIgnore]
    public int? RetryAfter { get; init; }

    /// <summary>Further headers of the response.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    public static Problem Validation(IReadOnlyDictionary<string, string[]> errors) =>
        new(400, "validation-failed", "The request is not valid.", "See errors: each names a field and its problem.")
        {
            Errors = Bounded(errors),
        };

    public static Problem Validation(string field, string rule) =>
        Validation(new Dictionary<string, string[]> { [field] = [rule] });

    public static Problem Unauthorized(string detail) => new(401, "unauthorized", "Authentication failed.", detail)
    {
        Headers = new Dictionary<string, string>
        {
            ["WWW-Authenticate"] = "Bearer realm=\"viral-engine\", error=\"invalid_token\"",
        },
    };

    public static Problem Forbidden(string detail) => new(403, "forbidden", "Permission denied.", detail)
    {
        Headers = new Dictionary<string, string>
        {
            ["WWW-Authenticate"] = "Bearer realm=\"viral-engine\", error=\"insufficient_scope\"",
        },
    };

    public static Problem NotFound(string what) => new(404, "not-found", "Not found.", $"There is no such {what}.");

    public static Problem Conflict(string code, string detail) =>
        new(409, code, "The state of the resource does not allow this request.", detail);

    /// <summary>
    /// Bounds names and values, which come from the caller and may be as many and as long as the body allows.
    /// </summary>
    private static Dictionary<string, string[]> Bounded(IReadOnlyDictionary<string, string[]> errors)
    {
        var bounded = new Dictionary<string, string[]>();
        foreach (var (name, rules) in errors.Take(MaxErrors))
        {
            bounded.TryAdd(
                OutsideText.Of(name, MaxErrorCharacters),
                [.. rules.Take(MaxErrors).Select(rule => OutsideText.Of(rule, MaxErrorCharacters))]);
        }

        return bounded;
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (httpContext.Features.Get<IProblemPage>() is { } page)
        {
            await page.WriteAsync(httpContext, this);
            return;
        }

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

/// <summary>If a request has one, its problems are shown as a page instead of JSON.</summary>
internal interface IProblemPage
{
    Task WriteAsync(HttpContext http, Problem problem);
}

/// <summary>Invalid input found where no response can be returned; the edge turns it into a problem.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Title)
{
    public Problem Problem { get; } = problem;
}
