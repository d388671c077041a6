using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace ViralEngine.Core.Flow;

/// <summary>
/// Reads providers' limits from response headers: OpenAI's <c>x-ratelimit-remaining-requests</c> and
/// <c>x-ratelimit-reset-requests</c> (<c>1m30.5s</c>) and the same of tokens, which many others have too; Anthropic's
/// <c>anthropic-ratelimit-requests-remaining</c> and
/// <c>…-reset</c> (RFC 3339); those of Together, Mistral and Cerebras (seconds), and of OpenRouter (milliseconds since
/// 1970).
/// </summary>
public static partial class RateHeaders
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(5);

    private static readonly (string Remaining, string Reset)[] Pairs =
    [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-remaining", "ratelimit-reset"),
        ("ratelimitbysize-remaining", "ratelimitbysize-reset"),
        ("x-ratelimit-remaining-requests-day", "x-ratelimit-reset-requests-day"),
        ("x-ratelimit-remaining-tokens-minute", "x-ratelimit-reset-tokens-minute"),
        ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
        ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
        ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
        ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ];

    /// <summary>
    /// How long a limit is exhausted; zero if it is not, or without headers. Times are of the provider's clock: its
    /// <c>Date</c> counts as now, if there is one.
    /// </summary>
    public static TimeSpan PauseOf(HttpResponseHeaders headers, DateTimeOffset now)
    {
        now = headers.Date ?? now;
        var pause = TimeSpan.Zero;
        foreach (var (remaining, reset) in Pairs)
        {
            if (First(headers, remaining) is { } left
                && double.TryParse(left, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && number <= 0
                && First(headers, reset) is { } text && WaitOf(text, now) is { } wait && wait > pause)
            {
                pause = wait < MaxPause ? wait : MaxPause;
            }
        }

        return pause;
    }

    private static TimeSpan? WaitOf(string text, DateTimeOffset now)
    {
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            && text.Contains('T'))
            return at - now;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            var since1970 = (now - DateTimeOffset.UnixEpoch).TotalSeconds;
            // Nobody waits for years: such a number is a time, in seconds or in milliseconds.
            var seconds = number > since1970 * 100 ? (number / 1000) - since1970
                : number > since1970 / 2 ? number - since1970
                : number;
            return TimeSpan.FromSeconds(Math.Min(seconds, MaxPause.TotalSeconds));
        }

        var matches = Part().Matches(text);
        if (matches.Count == 0 || matches.Sum(match => match.Length) != text.Length)
            return null;
        return TimeSpan.FromSeconds(Math.Min(MaxPause.TotalSeconds, matches.Sum(match =>
            double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * match.Groups[2].Value switch
            {
                "ms" => 0.001,
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => 86_400,
            })));
    }

    private static string? First(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    [GeneratedRegex("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h|d)")]
    private static partial Regex Part();
}
