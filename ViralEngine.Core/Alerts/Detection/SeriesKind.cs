namespace ViralEngine.Core.Alerts.Detection;

/// <summary>The kind of a series, which decides its statistics.</summary>
public enum SeriesKind : byte
{
    /// <summary>Values of an unknown distribution.</summary>
    Value,

    /// <summary>Events per minute: Poisson or overdispersed.</summary>
    Count,

    /// <summary>A share of trials: binomial or overdispersed.</summary>
    Rate,

    /// <summary>Durations or amounts: log-normal, each the mean of several logarithms.</summary>
    Amount,
}
