namespace ViralEngine.Core.Storage;

/// <summary>
/// The database's time, on which all processes agree: what one with a wrong clock did by its own would be early or late
/// for all others. Until it is set, it is the machine's.
/// </summary>
public sealed class DatabaseClock(TimeProvider own) : TimeProvider
{
    private volatile Reading? last;

    public DateTime UtcNow => GetUtcNow().UtcDateTime;

    public override TimeZoneInfo LocalTimeZone => own.LocalTimeZone;

    public override long TimestampFrequency => own.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() =>
        last is { } reading ? reading.Now + own.GetElapsedTime(reading.Timestamp) : own.GetUtcNow();

    public override long GetTimestamp() => own.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        own.CreateTimer(callback, state, dueTime, period);

    /// <summary>Sets the time that the database has just reported.</summary>
    public void Set(DateTime now) => last = new Reading(new DateTimeOffset(now), own.GetTimestamp());

    private sealed record Reading(DateTimeOffset Now, long Timestamp);
}
