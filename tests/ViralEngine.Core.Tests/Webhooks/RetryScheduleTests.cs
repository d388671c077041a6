using ViralEngine.Core.Webhooks;

namespace ViralEngine.Core.Tests.Webhooks;

public sealed class RetryScheduleTests
{
    private static readonly IReadOnlyList<TimeSpan> Suggested = new WebhooksOptions().Delays;

    [Fact]
    public void Waits_as_Standard_Webhooks_suggests_with_up_to_a_tenth_more()
    {
        string[] expected =
        [
            "00:00:05", "00:05:00", "00:30:00", "02:00:00", "05:00:00", "10:00:00", "14:00:00", "20:00:00",
            "1.00:00:00",
        ];

        for (var tries = 0; tries < expected.Length; tries++)
        {
            var least = TimeSpan.Parse(expected[tries], System.Globalization.CultureInfo.InvariantCulture);
            var delays = Enumerable.Range(0, 200).Select(seed => Delay(tries, null, seed)!.Value).ToList();

            Assert.All(delays, delay => Assert.InRange(delay, least, least * 1.1));
            Assert.True(delays.Distinct().Count() > 100, "Jitter spreads the retries.");
        }
    }

    [Fact]
    public void Gives_up_after_the_last_wait()
    {
        Assert.NotNull(Delay(8, null));
        Assert.Null(Delay(9, null));
        Assert.Null(Delay(9, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Never_comes_before_the_receiver_asked_for()
    {
        Assert.InRange(Delay(0, TimeSpan.FromMinutes(2))!.Value, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2.1));
        Assert.InRange(Delay(1, TimeSpan.FromSeconds(1))!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));
        Assert.InRange(Delay(0, TimeSpan.FromDays(365))!.Value, TimeSpan.FromDays(1), TimeSpan.FromDays(1.1));
    }

    private static TimeSpan? Delay(int tries, TimeSpan? retryAfter, int seed = 1) =>
        RetrySchedule.Delay(Suggested, tries, retryAfter, new Random(seed));
}
