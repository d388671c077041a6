using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Texts;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Reads JSON bodies: bounded, strict, and with errors that name the field. <see cref="BodyMiddleware"/> has received
/// them, so nothing waits for the client here.
/// </summary>
internal static class RequestBody
{
    public const int MaxBytes = 1024 * 1024;
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Strict =
        new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>Reads the body into a request record by the record's own rules.</summary>
    /// <exception cref="ProblemException">400, 413 or 415.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken ct)
        where T : class, new()
    {
        var body = await ReadJsonAsync(request, ct);
        return RequestBinder.Bind<T>(body);
    }

    /// <summary>Reads an optional body; without it, the record has its defaults.</summary>
    public static async Task<T> ReadOptionalAsync<T>(HttpRequest request, CancellationToken ct)
        where T : class, new() =>
        request.ContentLength is 0 or null && !request.Headers.ContainsKey("Transfer-Encoding")
            ? new T()
            : await ReadAsync<T>(request, ct);

    public static async Task<JsonElement> ReadJsonAsync(HttpRequest request, CancellationToken ct)
    {
        if (!IsJson(request.ContentType))
        {
            throw new ProblemException(new Problem(
                415, "unsupported-media-type", "The content type is not supported.",
                "Send Content-Type: application/json."));
        }

        var bytes = OutsideText.WithoutMark(await ReadBytesAsync(request, MaxBytes, ct)).ToArray();
        if (bytes.Length == 0)
            throw new ProblemException(Problem.Validation("body", "A JSON body is required."));
        if (!Utf8.IsValid(bytes))
            throw new ProblemException(Problem.Validation("body", "Must be valid JSON in UTF-8."));
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            RefuseWhatCannotBeStored(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new ProblemException(Problem.Validation("body", Explain(e)));
        }
        catch (InvalidOperationException)
        {
            // Names are compared with each other, so invalid ones are found while parsing.
            throw new ProblemException(Problem.Validation("body", OutsideJson.SurrogateRule));
        }
    }

    /// <summary>The whole body; 413 if it is longer than allowed.</summary>
    public static async Task<byte[]> ReadBytesAsync(HttpRequest request, int mostBytes, CancellationToken ct)
    {
        if (request.ContentLength > mostBytes)
            throw TooLarge(mostBytes);

        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            if (read.Buffer.Length > mostBytes)
                throw TooLarge(mostBytes);
            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public static ProblemException TooLarge(int mostBytes) => new(new Problem(
        413, "body-too-large", "The body is too large.", $"It must have at most {mostBytes:N0} bytes."));

    private static bool IsJson(string? contentType)
    {
        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
                && type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }

    private static void RefuseWhatCannotBeStored(JsonElement json)
    {
        var errors = new FieldErrors();
        OutsideJson.Check(json, (path, rule) => errors.Add(path.Length == 0 ? "body" : path, rule));
        errors.ThrowIfAny();
    }

    private static string Explain(JsonException e)
    {
        var place = e is { LineNumber: { } line, BytePositionInLine: { } column }
            ? $" at line {line + 1}, byte {column + 1}"
            : "";
        if (e.Message.Contains("depth", StringComparison.Ordinal))
            return $"Must not be nested deeper than {MaxDepth} levels{place}.";
        return e.Message.Contains("uplicate", StringComparison.Ordinal)
            ? "Must not have duplicate fields."
            : $"Must be valid JSON in UTF-8{place}.";
    }
}
