namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Durations or costs, by the mean of their logarithms, weighted by how many values it has. The spread of single
/// values, and of whole windows beyond that, is learned at each scale.
/// </summary>
internal sealed class AmountModel : LikelihoodModel
{
    private const double LeastTasks = 3;
    private const double LevelRate = 0.005;

    private readonly Season season = new(dailyMinutes: 15, weeklyMinutes: 30, followsClocks: true);
    private readonly NoiseEstimate[] noises = [new(), new(), new()];
    private SeasonKind kind;
    private double expected;

    protected override int OwnMaxBytes => 1 + season.MaxBytes + (Scales * NoiseEstimate.Bytes);

    protected override (double First, double Second) Enter(Observation point)
    {
        Changed = kind != season.Kind;
        if (Changed)
        {
            kind = season.Kind;
            ForgetDeviations();
        }

        expected = season.Expect(point.Minute);
        return point.Weight > 0 ? ((point.Value - expected) * point.Weight, point.Weight) : (0, 0);
    }

    protected override double Deviate(int scale, double first, double second)
    {
        if (second < LeastTasks)
            return double.NaN;
        var variance = noises[scale].Variance(second);
        return variance > 0 ? first / second / Math.Sqrt(variance) : double.NaN;
    }

    protected override Judgement Describe(int scale, int points, double first, double second)
    {
        var miss = second > 0 ? first / second : 0;
        var band = second > 0 ? 3.3 * Math.Sqrt(noises[scale].Variance(second)) : 0;
        return new Judgement(
            0, 0, 0, Math.Exp(expected + miss), Math.Exp(expected), Math.Exp(expected - band),
            Math.Exp(expected + band), second, true);
    }

    protected override void LearnWindow(int scale, double first, double second) =>
        noises[scale].Learn(first / second, second);

    protected override void LearnPoint(Observation point, bool quarantined)
    {
        if (point.Weight > 0)
            season.Learn(point.Minute, point.Value, LevelRate, quarantined);
        if (quarantined)
            return;
        for (var scale = 0; scale < Scales; scale++)
        {
            if (noises[scale].Count == 0 && point.Weight > 0)
                noises[scale].Learn(point.Value - expected, point.Weight);
        }
    }

    protected override void AcceptWindow(int points, double first, double second)
    {
        if (second > 0)
            season.Rebase(1, first / second);
    }

    protected override void WriteOwn(ref StateWriter writer)
    {
        writer.Byte((byte)kind);
        season.Write(ref writer);
        foreach (var noise in noises)
            noise.Write(ref writer);
    }

    protected override void ReadOwn(ref StateReader reader)
    {
        kind = (SeasonKind)reader.Byte();
        season.Read(ref reader);
        foreach (var noise in noises)
            noise.Read(ref reader);
    }
}
