namespace ViralEngine.Testing.Traffic;

/// <summary>
/// What docs/operating.md says is found within five minutes (a drift within an hour), by how many tasks a minute are
/// expected at the time: a share of errors, a factor of latency, a factor of latency in an hour, silence, minutes that
/// differ (standard deviation of its logarithm), a factor of throughput.
/// </summary>
public static class DetectableSize
{
    private const double LeastForSilence = 10;

    private static readonly (
        double PerMinute, double Errors, double Latency, double Drift, double Jitter, double Season)[] Rows =
    [
        (6, 0.5, 3, 4, 2.5, 4),
        (20, 0.3, 2.5, 2.5, 1.2, 3),
        (100, 0.1, 1.5, 1.6, 0.7, 1.7),
        (1000, 0.06, 1.4, 1.4, 0.5, 1.5),
    ];

    /// <summary>Null: nothing of this kind is promised at such a volume. Of silence the number means nothing.</summary>
    public static double? Of(IncidentKind kind, double perMinute)
    {
        if (perMinute < Rows[0].PerMinute)
            return null;
        var row = Rows.Last(row => row.PerMinute <= perMinute);
        return kind switch
        {
            IncidentKind.Spike => row.Errors,
            IncidentKind.Shift => row.Latency,
            IncidentKind.Drift => row.Drift,
            IncidentKind.Silence => perMinute < LeastForSilence ? null : 1,
            IncidentKind.Variance => row.Jitter,
            IncidentKind.BrokenSeason => row.Season,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }
}
