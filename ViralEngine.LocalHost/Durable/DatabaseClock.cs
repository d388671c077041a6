namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// The database's time, which all processes agree on: it is what orchestrations are told, as their timers fire by it. A process whose own
/// clock is wrong would let them sleep for as long as it is wrong.
/// </summary>
internal sealed class DatabaseClock(TimeProvider own)
{
    private volatile Reading? last;

    public DateTime UtcNow => last is { } reading
        ? reading.Now + own.GetElapsedTime(reading.Timestamp)
        : own.GetUtcNow().UtcDateTime;

    /// <summary>The database has just said that it is now so late.</summary>
    public void Set(DateTime now) => last = new Reading(now, own.GetTimestamp());

    private sealed record Reading(DateTime Now, long Timestamp);
}
