namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// The database's time, on which all processes agree. Orchestrations use it, because a process with a wrong clock would delay their timers.
/// </summary>
internal sealed class DatabaseClock(TimeProvider own)
{
    private volatile Reading? last;

    public DateTime UtcNow => last is { } reading
        ? reading.Now + own.GetElapsedTime(reading.Timestamp)
        : own.GetUtcNow().UtcDateTime;

    /// <summary>Sets the time that the database has just reported.</summary>
    public void Set(DateTime now) => last = new Reading(now, own.GetTimestamp());

    private sealed record Reading(DateTime Now, long Timestamp);
}
