namespace ViralEngine.Core.Alerts.Detection;

/// <summary>How unusual a series is at a minute, by what was known before it.</summary>
/// <param name="Score">The sum of −log₁₀ of the probabilities of what was seen at each scale.</param>
/// <param name="Direction">1 above what was expected, −1 below, 0 neither.</param>
/// <param name="IsRecord">The highest score of the last 150 points: a new incident, not more of one.</param>
/// <param name="ScaleMinutes">The number of points in the most unusual window.</param>
/// <param name="Actual">The value over that window, in the unit of the series.</param>
/// <param name="Expected">The expected value, with the band that holds 999 of 1,000 values.</param>
/// <param name="Weight">The number of events or trials in that window.</param>
/// <param name="Settled">Whether enough was seen to raise an alarm.</param>
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
