namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Hits out of trials. The usual share is a Beta distribution over about a week's trials, no sharper than a few
/// thousand trials allow; the correlation of trials is learned at each scale.
/// </summary>
internal sealed class RateModel : LikelihoodModel
{
    private const double LeastTrials = 5;
    private const double PriorHits = 0.5;
    private const double PriorTrials = 50;
    private const double MaxTrials = 5_000;
    private const double KeptEachMinute = 1 - (1.0 / 10_080);

    private readonly SpreadEstimate[] correlations = [new(), new(), new()];
    private double hits;
    private double trials;

    protected override int OwnMaxBytes => 16 + (Scales * SpreadEstimate.Bytes);

    private double Share => (hits + PriorHits) / (trials + PriorTrials);

    protected override (double First, double Second) Enter(Observation point) => (point.Value, point.Weight);

    protected override double Deviate(int scale, double first, double second) =>
        second < LeastTrials ? double.NaN : SignedDeviance.OfRate(first, second, Share, Correlation(scale));

    protected override Judgement Describe(int scale, int points, double first, double second)
    {
        if (second <= 0)
            return new Judgement(0, 0, 0, 0, Share, 0, 1, 0, false);
        var share = Share;
        var band = 3.3 * Math.Sqrt(share * (1 - share) * (1 + ((second - 1) * Correlation(scale))) / second);
        return new Judgement(
            0, 0, 0, first / second, share, Math.Max(0, share - band), Math.Min(1, share + band), second, true);
    }

    protected override void LearnWindow(int scale, double first, double second)
    {
        if (second < 2)
            return;
        var share = Share;
        var variance = second * share * (1 - share);
        var square = Math.Min(
            Math.Pow(first - (second * share), 2), 16 * variance * (1 + ((second - 1) * Correlation(scale))));
        correlations[scale].Learn((square / (share * (1 - share))) - second, second * (second - 1));
    }

    protected override void LearnPoint(Observation point, bool quarantined)
    {
        if (quarantined)
            return;
        hits = (hits * KeptEachMinute) + point.Value;
        trials = (trials * KeptEachMinute) + point.Weight;
        if (trials > MaxTrials)
            (hits, trials) = (hits * MaxTrials / trials, MaxTrials);
    }

    protected override void AcceptWindow(int points, double first, double second) => (hits, trials) = (first, second);

    protected override void WriteOwn(ref StateWriter writer)
    {
        writer.Double(hits);
        writer.Double(trials);
        foreach (var correlation in correlations)
            correlation.Write(ref writer);
    }

    protected override void ReadOwn(ref StateReader reader)
    {
        hits = reader.Double();
        trials = reader.Double();
        foreach (var correlation in correlations)
            correlation.Read(ref reader);
    }

    private double Correlation(int scale) =>
        Math.Min(0.5, correlations[scale].Value + (1 / (trials + PriorTrials + 1)));
}
