namespace ViralEngine.Testing.Traffic;

/// <summary>
/// A year of one tenant's tasks by the minute: a daily and a weekly shape, half as many again at its end as at its
/// beginning, a holiday, a change of clocks in spring and in autumn, and 24 planted incidents of six kinds, each of the
/// least size that is documented to be found at its time.
/// </summary>
public sealed class TrafficYear
{
    public const int Minutes = 365 * Day;

    private const int Day = 1440;
    private const int Holiday = 150;
    private const double ErrorShare = 0.01;
    private const double TypicalSeconds = 2;
    private const double SecondsSpread = 0.6;

    private readonly double perMinute;
    private readonly int seed;

    /// <param name="perMinute">Tasks a minute, on average over the first week.</param>
    public TrafficYear(double perMinute, int seed)
    {
        (this.perMinute, this.seed) = (perMinute, seed);
        Incidents = Plant();
    }

    public static DateTime Start { get; } = new(2029, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public IReadOnlyList<Incident> Incidents { get; }

    public IEnumerable<TrafficMinute> Play()
    {
        var noise = new Noise(seed);
        for (var minute = 0; minute < Minutes; minute++)
        {
            var incident = Incidents.FirstOrDefault(incident => incident.Covers(minute));
            var expected = Expected(minute, incident?.Kind == IncidentKind.BrokenSeason);
            var hours = incident is null ? 0 : (minute - incident.Minute + 1) / 60.0;
            var rate = incident?.Kind == IncidentKind.Silence ? 0 : expected * Math.Exp(0.05 * noise.Normal());
            var tasks = noise.Poisson(rate);
            var errors = incident?.Kind == IncidentKind.Spike ? incident.Size : ErrorShare;
            var slower = incident?.Kind switch
            {
                IncidentKind.Shift => Math.Log(incident.Size),
                IncidentKind.Drift => Math.Log(incident.Size) * Math.Min(hours, 3),
                IncidentKind.Variance => incident.Size * noise.Normal(),
                _ => 0,
            };
            var typical = tasks == 0
                ? 0
                : Math.Log(TypicalSeconds) + slower + (0.03 * noise.Normal())
                    + (SecondsSpread / Math.Sqrt(tasks) * noise.Normal());
            yield return new TrafficMinute(
                minute, Start.AddMinutes(minute), tasks, noise.Binomial(tasks, errors), typical);
        }
    }

    /// <summary>
    /// Four of each kind, from the sixth week on, at all hours; none in the days of the holiday and the clocks.
    /// </summary>
    private List<Incident> Plant()
    {
        var planted = new List<Incident>();
        for (var i = 0; i < 24; i++)
        {
            var kind = (IncidentKind)(i % 6);
            var day = 40 + (13 * i) + (i % 6);
            var hour = (9 + (5 * (i / 6))) % 24;
            var minutes = kind switch
            {
                IncidentKind.Spike => 15,
                IncidentKind.Shift => 180,
                IncidentKind.Drift => 480,
                IncidentKind.Silence => 90,
                IncidentKind.Variance => 120,
                _ => 600,
            };
            var start = (day * Day) + (hour * 60);
            var size = DetectableSize.Of(kind, Expected(start, flat: false));
            planted.Add(kind == IncidentKind.BrokenSeason
                ? new Incident(kind, start, minutes, 1, FirstVisible(start, minutes))
                : new Incident(kind, start, minutes, size ?? 1, size is null ? null : start));
        }

        return planted;
    }

    /// <summary>
    /// A lost shape is no incident where it agrees with the usual one: from when on it is far enough away.
    /// </summary>
    private int? FirstVisible(int start, int minutes)
    {
        for (var minute = start; minute < start + minutes; minute++)
        {
            var (usual, flat) = (Expected(minute, flat: false), Expected(minute, flat: true));
            if (Math.Exp(Math.Abs(Math.Log(flat / usual))) >= DetectableSize.Of(IncidentKind.BrokenSeason, usual))
                return minute;
        }

        return null;
    }

    /// <param name="flat">The day's shape is lost: as many by night as by day.</param>
    private double Expected(int minute, bool flat)
    {
        var day = minute / Day;
        var clock = day is >= 83 and < 300 ? minute + 60 : minute;
        var hour = clock % Day / 60.0;
        var shape = flat ? 1.6 : 1 - (0.8 * Math.Cos((hour - 3) / 24 * 2 * Math.PI));
        var weekend = clock / Day % 7 >= 5 ? 0.4 : 1.15;
        var growth = 1 + (0.5 * minute / Minutes);
        return perMinute * shape * weekend * growth * (day == Holiday ? 0.3 : 1);
    }
}

/// <param name="TypicalLog">The mean logarithm of the tasks' seconds.</param>
public readonly record struct TrafficMinute(int Minute, DateTime At, int Tasks, int Failed, double TypicalLog);
