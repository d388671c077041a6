using System.Globalization;
using ViralEngine.LocalHost.Timers;

namespace ViralEngine.LocalHost.Tests.Timers;

public sealed class ScheduleTests
{
    [Theory]
    [InlineData("0 */5 * * * *", "2026-01-01T10:05:00Z")]
    [InlineData("*/10 * * * * *", "2026-01-01T10:03:40Z")]
    [InlineData("0 30 9 * * Mon-Fri", "2026-01-02T09:30:00Z")]
    [InlineData("0 * * * *", "2026-01-01T11:00:00Z")]
    [InlineData("00:30:00", "2026-01-01T10:33:30Z")]
    [InlineData("1.00:00:00", "2026-01-02T10:03:30Z")]
    public void Finds_the_next_occurrence(string schedule, string expected)
    {
        var after = DateTimeOffset.Parse("2026-01-01T10:03:30Z", CultureInfo.InvariantCulture);

        var next = TimerSchedule.Parse(schedule).Next(after);

        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), next);
    }

    [Theory]
    [InlineData("*/10 * * * * *", true)]
    [InlineData("0,30 0 12 * * *", true)]
    [InlineData("00:00:59", true)]
    [InlineData("0 * * * * *", false)]
    [InlineData("00:01:00", false)]
    public void Knows_schedules_under_a_minute(string schedule, bool expected)
    {
        var now = DateTimeOffset.Parse("2026-01-01T10:03:30Z", CultureInfo.InvariantCulture);

        Assert.Equal(expected, TimerSchedule.Parse(schedule).IsUnderAMinute(now));
    }

    [Theory]
    [InlineData("every morning")]
    [InlineData("")]
    [InlineData("-00:01:00")]
    [InlineData("0 61 * * * *")]
    public void Refuses_what_is_no_schedule(string schedule)
    {
        var refusal = Assert.Throws<InvalidOperationException>(() => TimerSchedule.Parse(schedule));

        Assert.Contains("is not a timer schedule", refusal.Message, StringComparison.Ordinal);
    }
}
