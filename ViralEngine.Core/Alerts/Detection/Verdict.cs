namespace ViralEngine.Core.Alerts.Detection;

/// <summary>How strange a series is at a minute, by what was known before it.</summary>
/// <param name="Score">The sum of −log₁₀ of the probabilities of what was seen at each scale.</param>
/// <param name="Direction">1 above what was expected, −1 below, 0 neither.</param>
/// <param name="IsRecord">The highest score of the last 150 points: a new incident, not more of one.</param>
/// <param name="ScaleMinutes">Over how many points the strangest mean was taken.</param>
/// <param name="Actual">What was seen over these, in the unit of the series.</param>
/// <param name="Expected">What was expected of these, with the band in which 999 of 1,000 lie.</param>
/// <param name="Weight">How many events or trials these are of.</param>
/// <param name="Settled">Enough was seen to raise an alarm.</param>
public readonly record struct Verdict(
    double Score,
    int Direction,
    bool IsRecord,
    int ScaleMinutes,
    double Actual,
    double Expected,
    double Low,
    double High,
    double Weight,
    bool Settled);
