namespace ViralEngine.Core.Alerts.Detection;

/// <summary>One point of a series.</summary>
/// <param name="Minute">Minutes since the year 1, UTC.</param>
/// <param name="Value">For a count, the events; for a rate, the hits; for an amount, the mean of the logarithms; else
/// the value.</param>
/// <param name="Weight">For a rate, the trials; for an amount, the number of values in the mean. 0 if nothing was
/// observed, which differs from a value of zero.</param>
public readonly record struct Observation(long Minute, double Value, double Weight)
{
    public static long MinuteOf(DateTime at) => at.Ticks / TimeSpan.TicksPerMinute;

    public static DateTime TimeOf(long minute) => new(minute * TimeSpan.TicksPerMinute, DateTimeKind.Utc);
}
