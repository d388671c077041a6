using System.Globalization;

namespace ViralEngine.Console.Parts;

/// <summary>Numbers with their units.</summary>
public static class Figures
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>US dollars; small amounts with all digits.</summary>
    public static string Money(decimal? usd) => usd switch
    {
        null => "–",
        > 0 and < 0.01m => "$" + usd.Value.ToString("0.######", Culture),
        { } value => "$" + value.ToString("N2", Culture),
    };

    public static string Count(long value) => value.ToString("N0", Culture);

    public static string Percent(double? share) =>
        share is { } value ? string.Create(Culture, $"{value * 100:0.#} %") : "–";

    public static string Bytes(long bytes) => bytes switch
    {
        < 1024 => string.Create(Culture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(Culture, $"{bytes / 1024.0:0.#} KiB"),
        _ => string.Create(Culture, $"{bytes / 1024.0 / 1024.0:0.#} MiB"),
    };

    public static string Duration(TimeSpan? span) => span switch
    {
        null => "–",
        { TotalSeconds: < 1 } s => string.Create(Culture, $"{s.TotalMilliseconds:0} ms"),
        { TotalMinutes: < 1 } s => string.Create(Culture, $"{s.TotalSeconds:0.#} s"),
        { TotalHours: < 1 } s => string.Create(Culture, $"{s.Minutes} min {s.Seconds} s"),
        { } s => string.Create(Culture, $"{(int)s.TotalHours} h {s.Minutes} min"),
    };

    /// <summary>The beginning of a text, on one line.</summary>
    public static string Beginning(string text, int most = 120)
    {
        var line = text.ReplaceLineEndings(" ");
        if (line.Length <= most)
            return line;
        return (char.IsHighSurrogate(line[most - 1]) ? line[..(most - 1)] : line[..most]) + "…";
    }
}
