namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Detects anomalies in one series by conformal novelty at several scales. Each point is evaluated by what was known
/// before it, then learned. Memory and time per point are constant; the state is bytes that any instance can continue
/// from.
/// </summary>
public sealed class SeriesDetector
{
    /// <summary>The default rate of false alarms per series.</summary>
    public const double DefaultFalseAlarmsPerMonth = 0.3;

    private const byte Version = 2;

    /// <summary>No alarm is raised before this much was seen.</summary>
    private const int LeastMinutes = 1440;
    private const int LeastPoints = 200;

    /// <summary>Points below half the threshold that end an incident.</summary>
    private const int CalmPoints = 10;

    /// <summary>After this long, an incident becomes the new normal.</summary>
    private const int LastingMinutes = 3 * 1440;

    private readonly SeriesModel model;
    private readonly AlarmThreshold threshold;
    private readonly RecentRecords records = new();
    private long firstMinute = -1;
    private long openedMinute = -1;
    private int points;
    private int calm;
    private int skipped;

    public SeriesDetector(SeriesKind kind)
    {
        Kind = kind;
        model = SeriesModel.Of(kind);
        threshold = new AlarmThreshold(model.OncePerMonth);
    }

    public SeriesKind Kind { get; }

    /// <summary>Restores a state; null if another version wrote it, and learning starts over.</summary>
    public static SeriesDetector? TryRead(ReadOnlySpan<byte> state)
    {
        var reader = new StateReader(state);
        if (state.Length < 2 || reader.Byte() != Version)
            return null;
        var detector = new SeriesDetector((SeriesKind)reader.Byte());
        detector.Read(ref reader);
        return detector;
    }

    /// <summary>The score from which an alarm is raised, for a rate of false alarms.</summary>
    public double Threshold(double falseAlarmsPerMonth) => threshold.For(falseAlarmsPerMonth);

    public Verdict Observe(Observation point)
    {
        if (firstMinute < 0)
            firstMinute = point.Minute;
        var judged = model.Judge(point);
        if (judged.HasEvidence)
            points++;
        var settled = points >= LeastPoints && point.Minute - firstMinute >= LeastMinutes;
        var record = records.Add(judged.Score);
        var suspect = Track(point.Minute, judged.Score, settled);
        model.Learn(point, suspect && ++skipped % model.Quarantine != 0);
        if (model.Changed)
            threshold.Clear();
        if (settled)
            threshold.Learn(point.Minute, judged.Score, openedMinute >= 0 && openedMinute != point.Minute);
        return new Verdict(
            judged.Score, Math.Sign(judged.Deviation), record, SeriesModel.Lengths[judged.Scale], judged.Actual,
            judged.Expected, judged.Low, judged.High, judged.Weight, settled);
    }

    public byte[] Write()
    {
        Span<byte> buffer = new byte[64 + AlarmThreshold.MaxBytes + RecentRecords.MaxBytes + model.MaxBytes];
        var writer = new StateWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)Kind);
        writer.Long(firstMinute);
        writer.Long(openedMinute);
        writer.Int(points);
        writer.Int(calm);
        writer.Int(skipped);
        threshold.Write(ref writer);
        records.Write(ref writer);
        model.Write(ref writer);
        return buffer[..writer.Length].ToArray();
    }

    private void Read(ref StateReader reader)
    {
        firstMinute = reader.Long();
        openedMinute = reader.Long();
        points = reader.Int();
        calm = reader.Int();
        skipped = reader.Int();
        threshold.Read(ref reader);
        records.Read(ref reader);
        model.Read(ref reader);
    }

    /// <summary>
    /// During an incident, and during what may be its start, little is learned, so that a slow drift does not become
    /// usual. An incident that does not end becomes the new normal.
    /// </summary>
    private bool Track(long minute, double score, bool settled)
    {
        var limit = threshold.For(DefaultFalseAlarmsPerMonth);
        if (settled && score >= limit)
        {
            calm = 0;
            if (openedMinute < 0)
                openedMinute = minute;
        }
        else if (openedMinute >= 0 && (score >= limit / 2 ? calm = 0 : ++calm) >= CalmPoints)
        {
            openedMinute = -1;
        }

        if (openedMinute >= 0 && minute - openedMinute >= LastingMinutes)
        {
            model.Accept();
            openedMinute = -1;
        }

        return settled && (openedMinute >= 0 || score >= limit * model.Suspicion);
    }
}
