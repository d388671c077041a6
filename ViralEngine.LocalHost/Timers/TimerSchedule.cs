using System.Globalization;
using Cronos;

namespace ViralEngine.LocalHost.Timers;

/// <summary>When a timer runs: by NCRONTAB with six fields (seconds first; five mean the second 0), or a time span
/// after the last run. UTC.</summary>
internal sealed class TimerSchedule
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly CronExpression? cron;
    private readonly TimeSpan interval;

    private TimerSchedule(string text, CronExpression? cron, TimeSpan interval)
    {
        Text = text;
        this.cron = cron;
        this.interval = interval;
    }

    public string Text { get; }

    /// <exception cref="InvalidOperationException">The text is neither form.</exception>
    public static TimerSchedule Parse(string text)
    {
        var fields = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length;
        if (fields == 1
            && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var interval)
            && interval > TimeSpan.Zero)
            return new TimerSchedule(text, null, interval);
        if (CronExpression.TryParse(text, fields == 5 ? CronFormat.Standard : CronFormat.IncludeSeconds, out var cron))
            return new TimerSchedule(text, cron, default);
        throw new InvalidOperationException(
            $"'{text}' is not a timer schedule. It must be six fields (second minute hour day month weekday) or a "
            + "time span such as 00:05:00.");
    }

    /// <summary>The first occurrence after the time; null if there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) =>
        cron is null ? after + interval : cron.GetNextOccurrence(after, TimeZoneInfo.Utc);

    /// <summary>Whether some of the coming occurrences are less than a minute apart. Such schedules are not remembered
    /// across restarts.</summary>
    public bool IsUnderAMinute(DateTimeOffset now)
    {
        var last = Next(now);
        for (var seen = 0; seen < 5 && last is not null; seen++)
        {
            var next = Next(last.Value);
            if (next - last < Minute)
                return true;
            last = next;
        }

        return false;
    }
}
