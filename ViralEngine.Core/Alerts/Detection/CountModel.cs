namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Events per minute. The expected number follows the season; its level adapts more slowly for rarer events, and
/// overdispersion is learned at each scale. Zero counts: silence is as unlikely as the expected number implies.
/// </summary>
internal sealed class CountModel : LikelihoodModel
{
    /// <summary>Windows with fewer events, both observed and expected, are ignored.</summary>
    private const double LeastEvents = 5;

    private const double FastestLevel = 0.01;
    private const double SlowestLevel = 1.0 / 20_160;
    private const double EventsInLevel = 100;

    private readonly Season season = new(dailyMinutes: 15, weeklyMinutes: 15, followsClocks: true);
    private readonly SpreadEstimate[] spreads = [new(), new(), new()];
    private SeasonKind kind;
    private double expectedNow;
    private int seen;

    protected override int OwnMaxBytes => 5 + season.MaxBytes + (Scales * SpreadEstimate.Bytes);

    protected override (double First, double Second) Enter(Observation point)
    {
        Changed = kind != season.Kind;
        if (Changed)
        {
            kind = season.Kind;
            ForgetDeviations();
        }

        // If none was ever seen, assume that one of the minutes so far might have had one.
        expectedNow = Math.Max(season.Expect(point.Minute), 1.0 / (seen + 60));
        return (point.Value, expectedNow);
    }

    protected override double Deviate(int scale, double first, double second) =>
        Math.Max(first, second) < LeastEvents
            ? double.NaN
            : SignedDeviance.OfCount(first, second, spreads[scale].Value);

    protected override Judgement Describe(int scale, int points, double first, double second)
    {
        var band = 3.3 * Math.Sqrt(second + (second * second * spreads[scale].Value));
        return new Judgement(
            0, 0, 0, first / points, second / points, Math.Max(0, second - band) / points, (second + band) / points,
            first, true);
    }

    protected override void LearnWindow(int scale, double first, double second)
    {
        var variance = second + (second * second * spreads[scale].Value);
        var square = Math.Min((first - second) * (first - second), 16 * variance);
        spreads[scale].Learn(square - second, second * second);
    }

    protected override void LearnPoint(Observation point, bool quarantined)
    {
        seen++;
        season.Learn(
            point.Minute, point.Value, Math.Clamp(season.Level / EventsInLevel, SlowestLevel, FastestLevel),
            quarantined);
    }

    protected override void AcceptWindow(int points, double first, double second)
    {
        if (second > 0)
            season.Rebase(Math.Max(first, 0.5) / second, 0);
    }

    protected override void WriteOwn(ref StateWriter writer)
    {
        writer.Byte((byte)kind);
        writer.Int(seen);
        season.Write(ref writer);
        foreach (var spread in spreads)
            spread.Write(ref writer);
    }

    protected override void ReadOwn(ref StateReader reader)
    {
        kind = (SeasonKind)reader.Byte();
        seen = reader.Int();
        season.Read(ref reader);
        foreach (var spread in spreads)
            spread.Read(ref reader);
    }
}
