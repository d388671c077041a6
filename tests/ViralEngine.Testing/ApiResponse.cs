using System.Net;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Testing;

/// <summary>An answer of the API, read to its end.</summary>
public sealed record ApiResponse(
    string Request, HttpStatusCode Status, byte[] Bytes, IReadOnlyDictionary<string, string> Headers, Func<string> Log)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>The body as JSON; fails on anything else.</summary>
    public JsonElement Json
    {
        get
        {
            try
            {
                return JsonDocument.Parse(Bytes).RootElement;
            }
            catch (JsonException)
            {
                throw new ApiExpectationException($"{this} has a body that is not JSON");
            }
        }
    }

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>
    /// This answer if its status is the one expected; else fails with what the server said and logged.
    /// </summary>
    public ApiResponse Expect(HttpStatusCode status) =>
        Status == status
            ? this
            : throw new ApiExpectationException($"Expected {(int)status}, but {this}\nThe server's log ends:\n{Log()}");

    /// <summary>This answer's problem details (RFC 9457) if its status is the one expected.</summary>
    public Problem ExpectProblem(HttpStatusCode status)
    {
        Expect(status);
        if (Header("Content-Type")?.StartsWith("application/problem+json", StringComparison.Ordinal) != true)
            throw new ApiExpectationException($"Expected problem details, but {this}");
        return Problem.Parse(Json);
    }

    public override string ToString() => $"{Request} answered {(int)Status}: {Text[..Math.Min(Text.Length, 4000)]}";
}

/// <summary>Problem details as a client reads them.</summary>
public sealed record Problem(
    string? Type, string? Title, int Status, string? Detail, string? RequestId,
    IReadOnlyDictionary<string, string[]> Errors)
{
    internal static Problem Parse(JsonElement json) => new(
        Text(json, "type"),
        Text(json, "title"),
        json.GetProperty("status").GetInt32(),
        Text(json, "detail"),
        Text(json, "request_id"),
        json.TryGetProperty("errors", out var errors)
            ? errors.EnumerateObject().ToDictionary(
                field => field.Name, field => field.Value.EnumerateArray().Select(text => text.GetString()!).ToArray())
            : []);

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;
}

/// <summary>The API answered something else than the test expects.</summary>
public sealed class ApiExpectationException(string message) : Exception(message);
