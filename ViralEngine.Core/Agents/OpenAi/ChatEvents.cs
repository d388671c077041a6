using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Core.Agents.OpenAi;

/// <summary>
/// Splits a chat server's response into events: server-sent events (HTML standard, section 9.2.6), with extensions. The
/// last event needs no empty line after it, lines of JSON without a field name count as data (JSON lines, or one whole
/// document), and a field <c>error</c> counts as an event of that name, as llama.cpp sends it.
/// </summary>
internal static class ChatEvents
{
    public static async IAsyncEnumerable<ChatEvent> ReadAsync(
        Stream body, [EnumeratorCancellation] CancellationToken ct)
    {
        using var lines = new StreamReader(body, Encoding.UTF8);
        var data = new List<string>();
        var name = "";
        var bare = new StringBuilder();
        while (await lines.ReadLineAsync(ct) is { } line)
        {
            if (line.Length == 0 && bare.Length == 0)
            {
                foreach (var piece in Pieces(data))
                    yield return new ChatEvent(name, piece);
                data.Clear();
                name = "";
            }
            else if (bare.Length == 0 && FieldOf(line, "data") is { } value)
                data.Add(value);
            else if (bare.Length == 0 && FieldOf(line, "error") is { Length: > 0 } error)
                yield return new ChatEvent("error", error);
            else if (bare.Length == 0 && FieldOf(line, "event") is { } type)
                name = type;
            else if (bare.Length == 0
                && (line[0] == ':' || FieldOf(line, "id") is not null || FieldOf(line, "retry") is not null))
                continue;
            else if (bare.Length == 0 && IsWhole(line))
                yield return new ChatEvent(name, line);
            else
                bare.Append(line).Append('\n');
        }

        foreach (var piece in Pieces(data))
            yield return new ChatEvent(name, piece);
        if (bare.Length > 0)
            yield return new ChatEvent(name, bare.ToString());
    }

    private static string? FieldOf(string line, string field)
    {
        if (!line.StartsWith(field, StringComparison.Ordinal))
            return null;
        if (line.Length == field.Length)
            return "";
        if (line[field.Length] != ':')
            return null;
        var value = line.AsSpan(field.Length + 1);
        return value is [' ', ..] ? value[1..].ToString() : value.ToString();
    }

    /// <summary>One event's data: its lines joined, or each line if each is a document of its own.</summary>
    private static IEnumerable<string> Pieces(List<string> data) =>
        data.Count > 1 && data.TrueForAll(line => line == ChatEvent.Done || IsWhole(line)) ? [.. data]
        : data.Count > 0 ? [string.Join('\n', data)]
        : [];

    private static bool IsWhole(string line)
    {
        if (!line.AsSpan().TrimStart().StartsWith('{'))
            return false;
        try
        {
            using var document = JsonDocument.Parse(line);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

/// <param name="Name">Empty if the event has none.</param>
internal readonly record struct ChatEvent(string Name, string Data)
{
    /// <summary>The data of the event that ends a stream.</summary>
    public const string Done = "[DONE]";
}
