using ViralEngine.Core.Alerts.Detection;

namespace ViralEngine.Testing.Traffic;

/// <summary>
/// A year watched as the product watches it: throughput, error rate and latency, each by its own statistics.
/// </summary>
/// <param name="Found">With the minutes from when the incident had its size until an alarm.</param>
/// <param name="Wrong">False alarms in the year, by series.</param>
public sealed record WatchedYear(IReadOnlyDictionary<Incident, int> Found, IReadOnlyList<int> Wrong)
{
    /// <summary>An alarm so long after an incident is still about it: the traffic comes back.</summary>
    private const int Aftermath = 180;

    public static WatchedYear Of(TrafficYear year)
    {
        SeriesDetector[] detectors = [new(SeriesKind.Count), new(SeriesKind.Rate), new(SeriesKind.Amount)];
        var alarms = detectors.Select(_ => new AlarmState()).ToArray();
        var found = new Dictionary<Incident, int>();
        var wrong = new int[detectors.Length];
        foreach (var minute in year.Play())
        {
            var at = Observation.MinuteOf(minute.At);
            Observation[] points =
            [
                new(at, minute.Tasks, 1), new(at, minute.Failed, minute.Tasks),
                new(at, minute.TypicalLog, minute.Tasks)
            ];
            for (var i = 0; i < detectors.Length; i++)
            {
                var threshold = detectors[i].Threshold(SeriesDetector.DefaultFalseAlarmsPerMonth);
                var step = alarms[i].Step(detectors[i].Observe(points[i]), threshold);
                if (!alarms[i].IsOpen)
                    continue;
                var incident = year.Incidents.FirstOrDefault(incident =>
                    minute.Minute >= incident.Minute && minute.Minute < incident.Minute + incident.Minutes + Aftermath);
                if (incident is null)
                    wrong[i] += step == AlarmStep.Opened ? 1 : 0;
                else if (Shows(incident, i) && minute.Minute >= (incident.Visible ?? incident.Minute)
                    && incident.Covers(minute.Minute))
                    found.TryAdd(incident, minute.Minute - (incident.Visible ?? incident.Minute) + 1);
            }
        }

        return new WatchedYear(found, wrong);
    }

    /// <summary>Whether an incident of the kind is one of this series.</summary>
    private static bool Shows(Incident incident, int series) => incident.Kind switch
    {
        IncidentKind.Silence or IncidentKind.BrokenSeason => series == 0,
        IncidentKind.Spike => series == 1,
        _ => series == 2,
    };
}
