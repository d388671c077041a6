using ViralEngine.Core.Flow;

namespace ViralEngine.Core.Tests.Flow;

public sealed class RateHeadersTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(90.5, "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 1m30.5s")] // OpenAI, Groq
    [InlineData(0.02, "x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-tokens: 20ms")]
    [InlineData(
        30.0, "anthropic-ratelimit-requests-remaining: 0", "anthropic-ratelimit-requests-reset: 2026-11-26T12:00:30Z")]
    [InlineData(12.0, "x-ratelimit-remaining: 0", "x-ratelimit-reset: 12")] // Together
    [InlineData(7.5, "ratelimitbysize-remaining: 0", "ratelimitbysize-reset: 7.5")] // Mistral
    [InlineData(33.0, "x-ratelimit-remaining-tokens-minute: 0", "x-ratelimit-reset-tokens-minute: 33")] // Cerebras
    [InlineData(45.0, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795694445000")] // OpenRouter
    [InlineData(45.0, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795694445")] // GitHub
    [InlineData(300.0, "x-ratelimit-remaining-requests-day: 0", "x-ratelimit-reset-requests-day: 33011.382867")]
    [InlineData(0.0, "x-ratelimit-remaining-requests: 3", "x-ratelimit-reset-requests: 1m")]
    [InlineData(0.0, "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: soon")]
    [InlineData(0.0, "x-ratelimit-remaining-requests: 0")]
    [InlineData(0.0, "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1795694395")] // five seconds ago
    public void A_limit_of_which_nothing_is_left_holds_calls_back_until_it_is_renewed(
        double seconds, params string[] headers)
    {
        using var answer = new HttpResponseMessage();
        foreach (var header in headers)
            answer.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);

        Assert.Equal(seconds, RateHeaders.PauseOf(answer.Headers, Now).TotalSeconds, 6);
    }
}
