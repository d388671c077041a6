namespace ViralEngine.Core.Alerts.Detection;

/// <summary>The statistics of a series of one kind. A point is evaluated before it is learned.</summary>
internal abstract class SeriesModel
{
    /// <summary>The number of window sizes.</summary>
    protected const int Scales = 3;

    protected const int Longest = 64;

    public static ReadOnlySpan<int> Lengths => [1, 8, Longest];

    /// <summary>During an incident, one in this many points is learned.</summary>
    public abstract int Quarantine { get; }

    /// <summary>From this share of the threshold on, a point is suspect.</summary>
    public abstract double Suspicion { get; }

    /// <summary>A score that this model usually reaches once a month; a high estimate.</summary>
    public abstract double OncePerMonth { get; }

    public abstract int MaxBytes { get; }

    public abstract Judgement Judge(Observation point);

    /// <summary>Learns the point that was evaluated last.</summary>
    /// <param name="quarantined">Whether it may belong to an incident: then only the season learns, and little.</param>
    public abstract void Learn(Observation point, bool quarantined);

    /// <summary>Accepts a lasting shift as the new normal.</summary>
    public abstract void Accept();

    /// <summary>
    /// Whether the rule for expected values changed since the previous point, so that earlier scores no longer apply.
    /// </summary>
    public bool Changed { get; protected set; }

    public abstract void Write(ref StateWriter writer);

    public abstract void Read(ref StateReader reader);

    public static SeriesModel Of(SeriesKind kind) => kind switch
    {
        SeriesKind.Value => new ValueModel(),
        SeriesKind.Count => new CountModel(),
        SeriesKind.Rate => new RateModel(),
        SeriesKind.Amount => new AmountModel(),
    };
}

/// <param name="HasEvidence">Whether there was enough data.</param>
internal readonly record struct Judgement(
    double Score, int Scale, double Deviation, double Actual, double Expected, double Low, double High, double Weight,
    bool HasEvidence);
