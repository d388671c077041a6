using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Core.Texts;

/// <summary>
/// The entry point for external JSON, which can contain what cannot be stored: escaped unpaired surrogates or U+0000,
/// and numbers beyond a double. JSON that passed here can be stored as json and jsonb, read, and written again.
/// </summary>
public static class OutsideJson
{
    public const string NulRule = "Must not contain U+0000.";
    public const string SurrogateRule = "Must not contain an unpaired surrogate.";
    public const string NumberRule = "Must be within the range of a double (RFC 8259, section 6).";
    private const int MaxNumberBytes = 1000;
    private const int SmallestExponent = -400;
    private const int EscapeLength = 6; // \u0000

    /// <summary>
    /// Parses another system's response: replaces unpaired surrogates and drops U+0000. False if it is not JSON, is
    /// nested deeper than
    /// <paramref name="mostDepth"/>, or has a number beyond a double; then treat it as text.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out JsonElement json, int mostDepth = 64)
    {
        json = default;
        var bytes = WithoutNul(OutsideText.WithoutMark(utf8).ToArray());
        Mend(bytes);
        try
        {
            if (!HasOnlyGoodNumbers(bytes, mostDepth))
                return false;
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = mostDepth });
            json = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>As above, for a string.</summary>
    public static bool TryParse(string text, out JsonElement json, int mostDepth = 64) =>
        TryParse(Encoding.UTF8.GetBytes(OutsideText.Of(text)), out json, mostDepth);

    /// <summary>Replaces escapes of unpaired surrogates by that of U+FFFD, in place: both have six bytes.</summary>
    private static void Mend(Span<byte> utf8)
    {
        for (var at = NextEscape(utf8, 0); at >= 0; at = NextEscape(utf8, at))
        {
            var unit = UnitAt(utf8, at);
            if (char.IsHighSurrogate(unit) && IsEscape(utf8, at + EscapeLength)
                && char.IsLowSurrogate(UnitAt(utf8, at + EscapeLength)))
            {
                at += 2 * EscapeLength;
                continue;
            }

            if (char.IsSurrogate(unit))
                "fffd"u8.CopyTo(utf8[(at + 2)..]);
            at += EscapeLength;
        }
    }

    /// <summary>
    /// Reports what cannot be stored in a request's document, by path: <c>steps[2].name</c>, empty for the document
    /// itself. Requests are rejected instead of changed, because their sender can fix them.
    /// </summary>
    public static void Check(JsonElement json, Action<string, string> fault) => Check(json, "", fault);

    private static void Check(JsonElement json, string path, Action<string, string> fault)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in json.EnumerateObject())
                {
                    var name = TextOf(() => member.Name, path, fault);
                    Check(member.Value, path.Length == 0 ? name : $"{path}.{name}", fault);
                }

                break;
            case JsonValueKind.Array:
                foreach (var (index, item) in json.EnumerateArray().Index())
                    Check(item, $"{path}[{index}]", fault);
                break;
            case JsonValueKind.String:
                TextOf(() => json.GetString()!, path, fault);
                break;
            case JsonValueKind.Number when !IsGoodNumber(Encoding.ASCII.GetBytes(json.GetRawText())):
                fault(path, NumberRule);
                break;
        }
    }

    private static string TextOf(Func<string> read, string path, Action<string, string> fault)
    {
        try
        {
            var text = read();
            if (text.Contains('\0', StringComparison.Ordinal))
                fault(path, NulRule);
            return OutsideText.Of(text);
        }
        catch (InvalidOperationException)
        {
            fault(path, SurrogateRule);
            return "\ufffd";
        }
    }

    /// <summary>Whether a JSON number is within the range of a double and of reasonable length.</summary>
    public static bool IsGoodNumber(ReadOnlySpan<byte> number)
    {
        if (number.Length > MaxNumberBytes || !Utf8Parser.TryParse(number, out double value, out _)
            || !double.IsFinite(value))
            return false;
        var exponent = number.IndexOfAny((byte)'e', (byte)'E');
        return exponent < 0
            || (Utf8Parser.TryParse(number[(exponent + 1)..], out int power, out _) && power >= SmallestExponent);
    }

    private static bool HasOnlyGoodNumbers(ReadOnlySpan<byte> utf8, int mostDepth)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = mostDepth });
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && !IsGoodNumber(reader.ValueSpan))
                return false;
        }

        return true;
    }

    private static byte[] WithoutNul(byte[] utf8)
    {
        if (utf8.AsSpan().IndexOf("\\u0000"u8) < 0)
            return utf8;
        var kept = 0;
        for (var at = 0; at < utf8.Length;)
        {
            var length = utf8[at] != '\\' ? 1 : !IsEscape(utf8, at) ? 2 : EscapeLength;
            length = Math.Min(length, utf8.Length - at);
            if (length != EscapeLength || UnitAt(utf8, at) != 0)
            {
                utf8.AsSpan(at, length).CopyTo(utf8.AsSpan(kept));
                kept += length;
            }

            at += length;
        }

        return utf8[..kept];
    }

    /// <summary>The next <c>\u…</c> from a position that is not inside another escape; negative if none.</summary>
    private static int NextEscape(ReadOnlySpan<byte> utf8, int at)
    {
        while (at < utf8.Length && utf8[at..].IndexOf((byte)'\\') is var found and >= 0)
        {
            at += found;
            if (IsEscape(utf8, at))
                return at;
            at += 2;
        }

        return -1;
    }

    private static bool IsEscape(ReadOnlySpan<byte> utf8, int at)
    {
        if (at + EscapeLength > utf8.Length || utf8[at] != '\\' || utf8[at + 1] != 'u')
            return false;
        foreach (var digit in utf8.Slice(at + 2, 4))
        {
            if (!char.IsAsciiHexDigit((char)digit))
                return false;
        }

        return true;
    }

    private static char UnitAt(ReadOnlySpan<byte> utf8, int at) =>
        Utf8Parser.TryParse(utf8.Slice(at + 2, 4), out ushort unit, out _, 'x') ? (char)unit : '\0';
}
