namespace ViralEngine.Core.Alerts.Detection;

/// <summary>What is known of a series of one kind. It judges a point before it learns it.</summary>
internal abstract class SeriesModel
{
    /// <summary>Over how many points means are taken.</summary>
    protected const int Scales = 3;

    protected const int Longest = 64;

    public static ReadOnlySpan<int> Lengths => [1, 8, Longest];

    /// <summary>While an incident lasts, one in so many points is learnt.</summary>
    public abstract int Quarantine { get; }

    /// <summary>From this share of the threshold on a point is suspect.</summary>
    public abstract double Suspicion { get; }

    /// <summary>What a score of this model usually is once a month; rather too high.</summary>
    public abstract double OncePerMonth { get; }

    public abstract int MaxBytes { get; }

    public abstract Judgement Judge(Observation point);

    /// <summary>Learns the point that was judged last.</summary>
    /// <param name="quarantined">It may belong to an incident: of it only the season learns, and little.</param>
    public abstract void Learn(Observation point, bool quarantined);

    /// <summary>What has lasted so long is the new normal.</summary>
    public abstract void Accept();

    /// <summary>Whether what is expected comes from another rule since the point before: earlier scores say nothing.</summary>
    public bool Changed { get; protected set; }

    public abstract void Write(ref StateWriter writer);

    public abstract void Read(ref StateReader reader);

    public static SeriesModel Of(SeriesKind kind) => kind switch
    {
        SeriesKind.Value => new ValueModel(),
        SeriesKind.Count => new CountModel(),
        SeriesKind.Rate => new RateModel(),
        SeriesKind.Amount => new AmountModel(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <param name="HasEvidence">There was enough to say anything.</param>
internal readonly record struct Judgement(
    double Score, int Scale, double Deviation, double Actual, double Expected, double Low, double High, double Weight, bool HasEvidence);
