using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ViralEngine.Testing;

/// <summary>
/// What the app's OpenAPI document promises. Every answer that a test receives is held against it: its operation,
/// status, media type, headers, body and request id; and every body that was taken against what may be sent.
/// </summary>
public sealed class DocumentedApi
{
    private const string ProblemType = "application/problem+json";

    private static readonly HashSet<string> OfHttp = new(StringComparer.OrdinalIgnoreCase)
    {
        "Date", "Server", "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Type", "Content-Length",
        "X-Request-ID",
    };

    private static readonly SemaphoreSlim Loading = new(1);
    private static DocumentedApi? loaded;

    private readonly JsonSchema schemas;
    private readonly string root;
    private readonly List<(string[] Segments, JsonElement Operations)> paths;

    public DocumentedApi(JsonElement document)
    {
        schemas = new JsonSchema(document, isClosed: true);
        var server = document.GetProperty("servers")[0].GetProperty("url").GetString()!;
        root = server.StartsWith('/') ? server : new Uri(server).AbsolutePath;
        // Where several templates fit, the one with the fewest parameters is the route.
        paths = [.. document.GetProperty("paths").EnumerateObject()
            .Select(path => (Segments: (root + path.Name).Split('/'), Operations: path.Value))
            .OrderBy(path => path.Segments.Count(IsParameter))];
    }

    /// <summary>Loaded once, from the first app that is seen: all that a run starts are of one build.</summary>
    public static async Task<DocumentedApi> AtAsync(Uri address)
    {
        if (loaded is not null)
            return loaded;
        await Loading.WaitAsync();
        try
        {
            if (loaded is null)
            {
                using var http = new HttpClient();
                loaded = new DocumentedApi(
                    await http.GetFromJsonAsync<JsonElement>(new Uri(address, "/api/openapi.json")));
            }

            return loaded;
        }
        finally
        {
            Loading.Release();
        }
    }

    /// <summary>Fails the test if the answer is not as documented.</summary>
    /// <param name="body">The whole body; or null if it is not read here.</param>
    public void Check(HttpMethod method, Uri address, HttpResponseMessage response, byte[]? body)
    {
        var fault = FaultOf(method, address.AbsolutePath, response, body);
        if (fault is not null)
        {
            throw new ApiExpectationException(
                $"{method} {address.AbsolutePath} answered {(int)response.StatusCode} not as documented: {fault}");
        }
    }

    /// <summary>
    /// Fails the test if a body was taken that the document does not allow: whoever reads it could not send that.
    /// </summary>
    public void CheckTaken(HttpMethod method, Uri address, string? mediaType, byte[] body)
    {
        if (body.Length > 0 && FaultOfTaken(method, address.AbsolutePath, mediaType, body) is { } fault)
            throw new ApiExpectationException($"{method} {address.AbsolutePath}: {fault}");
    }

    /// <summary>What is not as documented; null if all is.</summary>
    public string? FaultOf(HttpMethod method, string path, HttpResponseMessage response, byte[]? body)
    {
        // The server itself refuses what is outside the API or not even a path; the app never sees it.
        if (!path.StartsWith(root + "/", StringComparison.OrdinalIgnoreCase)
            || (response.StatusCode == HttpStatusCode.BadRequest && path.Contains("%00")))
        {
            return null;
        }

        if (!response.Headers.Contains("X-Request-ID"))
            return "X-Request-ID is missing";
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        if (OperationOf(method, path) is not { } operation)
        {
            return response.IsSuccessStatusCode || mediaType == ProblemType
                ? null
                : $"there is no such operation, and the media type is {mediaType ?? "missing"}, not {ProblemType}";
        }

        var answers = operation.GetProperty("responses");
        if (!answers.TryGetProperty($"{(int)response.StatusCode}", out var documented)
            && !answers.TryGetProperty($"{(int)response.StatusCode / 100}XX", out documented))
            return $"the status is none of {string.Join(", ", answers.EnumerateObject().Select(known => known.Name))}";
        if (UndocumentedHeader(schemas.Resolve(documented), response) is { } header)
            return $"the header {header} is not documented";
        if (!schemas.Resolve(documented).TryGetProperty("content", out var content))
            return mediaType is null && body is not { Length: > 0 }
                ? null
                : $"a body of type {mediaType} where none is documented";
        if (mediaType is null || !content.TryGetProperty(mediaType, out var media))
            return $"the media type is {mediaType ?? "missing"}, not "
                + $"{string.Join(" or ", content.EnumerateObject().Select(known => known.Name))}";
        return body is not null && method != HttpMethod.Head
            && (mediaType == "application/json" || mediaType.EndsWith("+json", StringComparison.Ordinal))
            ? FaultOf(media.GetProperty("schema"), body)
            : null;
    }

    /// <summary>What of a body that was taken is not as documented; null if all is.</summary>
    public string? FaultOfTaken(HttpMethod method, string path, string? mediaType, byte[] body)
    {
        // Merge patches are taken under both names.
        if (method == HttpMethod.Patch && mediaType == "application/json")
            mediaType = "application/merge-patch+json";
        return mediaType is not null && mediaType.EndsWith("json", StringComparison.Ordinal)
            && !mediaType.EndsWith("ndjson", StringComparison.Ordinal)
            && OperationOf(method, path) is { } operation && operation.TryGetProperty("requestBody", out var documented)
            ? !documented.GetProperty("content").TryGetProperty(mediaType, out var media)
                ? $"a body of type {mediaType} was taken, which is not documented"
                : FaultOf(media.GetProperty("schema"), body) is { } fault ? $"a body was taken with {fault}" : null
            : null;
    }

    /// <summary>What HTTP itself has, and the id that every answer has, need not be said.</summary>
    private static string? UndocumentedHeader(JsonElement documented, HttpResponseMessage response)
    {
        var known = documented.TryGetProperty("headers", out var headers)
            ? headers.EnumerateObject().Select(header => header.Name).ToHashSet(StringComparer.OrdinalIgnoreCase)
            : [];
        return response.Headers.Concat(response.Content.Headers).Select(header => header.Key)
            .FirstOrDefault(name => !known.Contains(name) && !OfHttp.Contains(name));
    }

    private string? FaultOf(JsonElement schema, byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(
                body.AsMemory(body is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0), new JsonDocumentOptions { MaxDepth = 1000 });
            return schemas.Check(schema, json.RootElement).FirstOrDefault() is { } fault
                ? $"\"{fault.At}\": {fault.Rule}"
                : null;
        }
        catch (JsonException notJson)
        {
            return $"the body is not JSON: {notJson.Message}";
        }
    }

    private JsonElement? OperationOf(HttpMethod method, string path)
    {
        var segments = path.Split('/');
        foreach (var (_, operations) in paths.Where(known => Fits(known.Segments, segments)))
        {
            // HEAD is GET without its body (RFC 9110, section 9.3.2).
            var name = method == HttpMethod.Head ? "get" : method.Method.ToLowerInvariant();
            if (operations.TryGetProperty(name, out var operation))
                return operation;
        }

        return null;
    }

    private static bool Fits(string[] template, string[] path) =>
        template.Length == path.Length && template.Zip(path).All(pair =>
            IsParameter(pair.First) ? pair.Second.Length > 0 : pair.First.Equals(
                pair.Second, StringComparison.OrdinalIgnoreCase));

    private static bool IsParameter(string segment) => segment.StartsWith('{');
}
