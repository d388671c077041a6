namespace ViralEngine.Core.Alerts.Detection;

/// <summary>What a series counts, and so by which statistics it is judged.</summary>
public enum SeriesKind : byte
{
    /// <summary>Values of which nothing is known.</summary>
    Value,

    /// <summary>Events a minute: Poisson, or worse.</summary>
    Count,

    /// <summary>So many of so many: binomial, or worse.</summary>
    Rate,

    /// <summary>Typical durations or amounts: log-normal, each the mean of so many logarithms.</summary>
    Amount,
}
