namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// The largest numbers seen, and how often one at least as large is expected: by rank among them, and beyond them by a
/// generalized Pareto tail fitted with probability-weighted moments (Hosking and Wallis, Technometrics 29, 1987).
/// </summary>
/// <param name="heaviestShape">The maximum shape of the Pareto tail; 0 for an exponential tail.</param>
internal sealed class ExcessTail(double heaviestShape = 0.2)
{
    public const int MaxBytes = 5 + (MaxKept * sizeof(float));

    private const int MaxKept = 40;

    /// <summary>Ascending.</summary>
    private readonly float[] largest = new float[MaxKept];
    private int kept;
    private double shape;
    private double scale = double.NaN;

    /// <summary>The number of learned numbers, including those too small to be kept.</summary>
    public int Count { get; private set; }

    public void Learn(float number)
    {
        Count++;
        if (kept == MaxKept && number <= largest[0])
            return;
        scale = double.NaN;
        var at = Array.BinarySearch(largest, 0, kept, number);
        at = at < 0 ? ~at : at;
        if (kept == MaxKept)
        {
            at--;
            Array.Copy(largest, 1, largest, 0, at);
        }
        else
        {
            Array.Copy(largest, at, largest, at + 1, kept - at);
            kept++;
        }

        largest[at] = number;
    }

    /// <summary>
    /// Learns a number, capped at the level expected half a time, so that an incident does not hide the next one, while
    /// frequent numbers are still learned.
    /// </summary>
    public void LearnBounded(float number) =>
        Learn(
            kept == MaxKept && number > largest[^1] ? (float)Math.Clamp(LevelOf(0.5, 0), largest[^1], number) : number);

    /// <summary>How many of <see cref="Count"/> are expected to be at least as large.</summary>
    /// <param name="leastScale">The minimum scale of the tail.</param>
    public double ExpectedAbove(float number, double leastScale)
    {
        if (kept == 0 || number <= largest[0])
            return Count;
        var first = Array.BinarySearch(largest, 0, kept, number);
        if (first < 0)
            first = ~first;
        if (first < kept)
            return kept - first;

        Fit();
        var width = Math.Max(scale, leastScale);
        if (!(width > 0))
            return 0;
        var excess = (number - largest[0]) / width;
        return Math.Min(1, kept * (shape > 1e-6 ? Math.Pow(1 + (shape * excess), -1 / shape) : Math.Exp(-excess)));
    }

    /// <summary>The number expected to be reached this many times in <see cref="Count"/>.</summary>
    public double LevelOf(double expected, double leastScale)
    {
        if (kept == 0)
            return double.NaN;
        if (expected >= kept)
            return largest[0];
        Fit();
        var width = Math.Max(scale, leastScale);
        var ratio = expected / kept;
        return largest[0] + (width * (shape > 1e-6 ? (Math.Pow(ratio, -shape) - 1) / shape : -Math.Log(ratio)));
    }

    public void Clear() => (kept, Count, scale) = (0, 0, double.NaN);

    public void Write(ref StateWriter writer)
    {
        writer.Int(Count);
        writer.Byte((byte)kept);
        writer.Floats(largest.AsSpan(0, kept));
    }

    public void Read(ref StateReader reader)
    {
        Count = reader.Int();
        kept = reader.Byte();
        reader.Floats(largest.AsSpan(0, kept));
        scale = double.NaN;
    }

    private void Fit()
    {
        if (!double.IsNaN(scale))
            return;
        double mean = 0, weighted = 0;
        for (var i = 0; i < kept; i++)
        {
            double excess = largest[i] - largest[0];
            mean += excess;
            weighted += excess * (1 - ((i + 0.65) / kept));
        }

        mean /= kept;
        weighted /= kept;
        var spread = mean - (2 * weighted);
        shape = spread > 0 ? Math.Clamp(2 - (mean / spread), 0, heaviestShape) : 0;
        scale = mean * (1 - shape);
    }
}
