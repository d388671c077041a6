using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>Reads providers' JSON as liberally as possible.</summary>
internal static class ProviderJson
{
    public static JsonElement? Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member)
            && member.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
            ? member
            : null;

    /// <summary>A member's text; null if it is not a string, or empty.</summary>
    public static string? TextOf(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.String } member && member.Text() is { Length: > 0 } text
            ? text
            : null;

    /// <summary>
    /// A string's text, including unpaired surrogates: some servers split an answer within a surrogate pair.
    /// </summary>
    public static string Text(this JsonElement json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(json.GetRawText().AsSpan()[1..^1]);
        }
    }

    /// <summary>
    /// The usage of a call: <c>prompt_tokens</c> and <c>completion_tokens</c>, or <c>input_tokens</c> and
    /// <c>output_tokens</c>. Null if it has neither.
    /// </summary>
    public static AgentChunk.Usage? UsageOf(JsonElement usage, string? model)
    {
        var input = Count(usage, "prompt_tokens") ?? Count(usage, "input_tokens");
        var output = Count(usage, "completion_tokens") ?? Count(usage, "output_tokens");
        return input is null && output is null ? null : new AgentChunk.Usage(input ?? 0, output ?? 0, model);
    }

    // An invalid count becomes negative, and is rejected like negative ones.
    private static long? Count(JsonElement usage, string name) => usage.Member(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var count) => count,
        { ValueKind: JsonValueKind.Number } number when number.TryGetDecimal(out var count)
            && count == decimal.Truncate(count) && Math.Abs(count) < long.MaxValue => (long)count,
        _ => -1,
    };

    private static string Unescape(ReadOnlySpan<char> json)
    {
        var text = new StringBuilder(json.Length);
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] != '\\')
            {
                text.Append(json[i]);
                continue;
            }

            i++;
            if (json[i] == 'u')
            {
                text.Append((char)ushort.Parse(
                    json.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
                continue;
            }

            text.Append(
                json[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', var other => other });
        }

        return text.ToString();
    }
}
