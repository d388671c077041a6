using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Requests;

/// <summary>Reads JSON bodies: bounded, strict, and with errors that name the field.</summary>
internal static class RequestBody
{
    public const int MostBytes = 1024 * 1024;
    public const int MostDepth = 32;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MostDepth, AllowDuplicateProperties = false };

    /// <summary>Reads the body into a request record by the record's own rules.</summary>
    /// <exception cref="ProblemException">400, 413 or 415.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken ct)
        where T : class, new()
    {
        var body = await ReadJsonAsync(request, ct);
        return RequestBinder.Bind<T>(body);
    }

    /// <summary>Reads a body that may be left out; then the record has its defaults.</summary>
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
                415, "unsupported-media-type", "The body's type is not supported.", "Send Content-Type: application/json."));
        }

        var bytes = await ReadBytesAsync(request, MostBytes, ct);
        if (bytes.Length == 0)
            throw new ProblemException(Problem.Validation("body", "A JSON body is required."));
        if (!Utf8.IsValid(bytes))
            throw new ProblemException(Problem.Validation("body", "Not valid JSON in UTF-8."));
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            RefuseBadText(bytes);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new ProblemException(Problem.Validation("body", Explain(e)));
        }
    }

    /// <summary>The whole body, refused with 413 once it is longer than allowed.</summary>
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

    private static ProblemException TooLarge(int mostBytes) => new(new Problem(
        413, "body-too-large", "The body is too large.", $"At most {mostBytes:N0} bytes are accepted here."));

    private static bool IsJson(string? contentType)
    {
        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
                && type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Text that PostgreSQL or .NET cannot hold (U+0000, half a surrogate pair) is refused here rather than there.</summary>
    private static void RefuseBadText(byte[] bytes)
    {
        if (bytes.AsSpan().IndexOf("\\u"u8) < 0)
            return;
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MostDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName
                && reader.ValueIsEscaped && Unescaped(ref reader).Contains('\0'))
            {
                throw new ProblemException(Problem.Validation("body", "U+0000 is not allowed in text."));
            }
        }
    }

    private static string Unescaped(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ProblemException(Problem.Validation("body", "A text has half of a surrogate pair."));
        }
    }

    private static string Explain(JsonException e)
    {
        var place = e is { LineNumber: { } line, BytePositionInLine: { } column }
            ? $" at line {line + 1}, byte {column + 1}"
            : "";
        if (e.Message.Contains("depth", StringComparison.Ordinal))
            return $"Nested deeper than {MostDepth} levels{place}.";
        return e.Message.Contains("uplicate", StringComparison.Ordinal)
            ? "A field is given twice."
            : $"Not valid JSON in UTF-8{place}.";
    }
}
