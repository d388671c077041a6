namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// A series with known statistics. At each scale, the observed value is compared with the expected one by its
/// likelihood, so that sparse minutes are pooled. A deviation's probability is the larger of its likelihood and of how
/// frequent such deviations have been in this series (a conformal p-value), which covers correlation and model errors.
/// Deviations are in standard deviations; beyond the largest seen, an exponential tail is assumed.
/// </summary>
internal abstract class LikelihoodModel : SeriesModel
{
    private const int GenerationLength = 30_000;
    private const double LeastTailScale = 0.15;

    /// <summary>
    /// The largest deviation per window length: neighbouring windows share most of their points, and a slow drift would
    /// fill the tail with itself.
    /// </summary>
    private readonly RecentTail[] tails = [Tail(0), Tail(1), Tail(2)];
    private readonly float[] largest = new float[Scales];
    private readonly byte[] stretch = new byte[Scales];
    private readonly float[] firsts = new float[Longest];
    private readonly float[] seconds = new float[Longest];
    private readonly double[] deviations = new double[Scales];
    private int next;
    private int filled;

    public override int Quarantine => 20;

    public override double Suspicion => 0.5;

    public override double OncePerMonth => 7.5;

    public override int MaxBytes =>
        2 + (2 * Longest * sizeof(float)) + (5 * Scales) + (Scales * RecentTail.MaxBytes) + OwnMaxBytes;

    protected abstract int OwnMaxBytes { get; }

    /// <summary>The two numbers of a point that are summed over a window.</summary>
    protected abstract (double First, double Second) Enter(Observation point);

    /// <summary>The deviation of a window in standard deviations; NaN if it has too little data.</summary>
    protected abstract double Deviate(int scale, double first, double second);

    /// <summary>Describes a window: per minute, per trial, or per task.</summary>
    protected abstract Judgement Describe(int scale, int points, double first, double second);

    protected abstract void LearnWindow(int scale, double first, double second);

    protected abstract void LearnPoint(Observation point, bool quarantined);

    /// <param name="first">Over the longest window.</param>
    /// <param name="second">Over the longest window.</param>
    protected abstract void AcceptWindow(int points, double first, double second);

    protected abstract void WriteOwn(ref StateWriter writer);

    protected abstract void ReadOwn(ref StateReader reader);

    public override Judgement Judge(Observation point)
    {
        var (first, second) = Enter(point);
        firsts[next] = (float)first;
        seconds[next] = (float)second;
        next = (next + 1) % Longest;
        filled = Math.Min(filled + 1, Longest);

        double score = 0, most = 0;
        var strangest = Scales - 1;
        var evidence = false;
        for (var scale = 0; scale < Scales; scale++)
        {
            var (_, sumFirst, sumSecond) = Window(scale);
            var deviation = deviations[scale] = Deviate(scale, sumFirst, sumSecond);
            if (double.IsNaN(deviation))
                continue;
            evidence = true;
            var size = (float)Math.Abs(deviation);
            var strange = -Math.Log10(Math.Max(
                SignedDeviance.Probability(size), tails[scale].Probability(size, LeastTailScale)));
            score += strange;
            if (strange > most)
                (most, strangest) = (strange, scale);
        }

        var (points, a, b) = Window(strangest);
        return Describe(strangest, points, a, b) with
        {
            Score = score,
            Scale = strangest,
            Deviation = double.IsNaN(deviations[strangest]) ? 0 : deviations[strangest],
            HasEvidence = evidence,
        };
    }

    public override void Learn(Observation point, bool quarantined)
    {
        for (var scale = 0; scale < Scales && !quarantined; scale++)
        {
            if (double.IsNaN(deviations[scale]))
                continue;
            LearnDeviation(scale, (float)Math.Abs(deviations[scale]));
            var (_, first, second) = Window(scale);
            LearnWindow(scale, first, second);
        }

        LearnPoint(point, quarantined);
    }

    public override void Accept()
    {
        var (points, first, second) = Window(Scales - 1);
        AcceptWindow(points, first, second);
    }

    public override void Write(ref StateWriter writer)
    {
        writer.Byte((byte)next);
        writer.Byte((byte)filled);
        writer.Floats(firsts);
        writer.Floats(seconds);
        writer.Floats(largest);
        foreach (var points in stretch)
            writer.Byte(points);
        foreach (var tail in tails)
            tail.Write(ref writer);
        WriteOwn(ref writer);
    }

    public override void Read(ref StateReader reader)
    {
        next = reader.Byte();
        filled = reader.Byte();
        reader.Floats(firsts);
        reader.Floats(seconds);
        reader.Floats(largest);
        foreach (ref var points in stretch.AsSpan())
            points = reader.Byte();
        foreach (var tail in tails)
            tail.Read(ref reader);
        ReadOwn(ref reader);
    }

    /// <summary>Forgets deviations that were measured by another rule.</summary>
    protected void ForgetDeviations()
    {
        foreach (var tail in tails)
            tail.Clear();
    }

    private static RecentTail Tail(int scale) => new(GenerationLength / Lengths[scale], heaviestShape: 0);

    private void LearnDeviation(int scale, float size)
    {
        largest[scale] = Math.Max(largest[scale], size);
        if (++stretch[scale] < Lengths[scale])
            return;
        tails[scale].LearnBounded(largest[scale]);
        (largest[scale], stretch[scale]) = (0, 0);
    }

    private (int Points, double First, double Second) Window(int scale)
    {
        var points = Math.Min(Lengths[scale], filled);
        double first = 0, second = 0;
        for (var back = 1; back <= points; back++)
        {
            var at = (next - back + Longest) % Longest;
            first += firsts[at];
            second += seconds[at];
        }

        return (points, first, second);
    }
}
