namespace ViralEngine.Core.Alerts.Detection;

/// <summary>One point of a series.</summary>
/// <param name="Minute">Minutes since the year 1, UTC.</param>
/// <param name="Value">Of a count the events; of a rate the hits; of an amount the mean of the logarithms; else the
/// value.</param>
/// <param name="Weight">Of a rate the trials, of an amount how many the mean is of; 0: nothing was seen, which is not
/// zero.</param>
public readonly record struct Observation(long Minute, double Value, double Weight)
{
    public static long MinuteOf(DateTime at) => at.Ticks / TimeSpan.TicksPerMinute;

    public static DateTime TimeOf(long minute) => new(minute * TimeSpan.TicksPerMinute, DateTimeKind.Utc);
}
