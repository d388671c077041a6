namespace ViralEngine.Testing.Traffic;

public enum IncidentKind
{
    Spike,
    Shift,
    Drift,
    Silence,
    Variance,
    BrokenSeason,
}

/// <summary>Something that goes wrong, planted.</summary>
/// <param name="Minute">Of the year.</param>
/// <param name="Size">See <see cref="DetectableSize"/>.</param>
/// <param name="Visible">From this minute on it has its size; null: it is smaller than what is documented to be
/// found.</param>
public sealed record Incident(IncidentKind Kind, int Minute, int Minutes, double Size, int? Visible)
{
    public bool Covers(int minute) => minute >= Minute && minute < Minute + Minutes;
}
