namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Remembers values and measures how novel a new one is: its distance to the nearest share of the remembered ones,
/// compared with the distances that earlier values had when they were new. A conformal p-value (Laxhammar and Falkman,
/// "Conformal prediction for distribution-independent anomaly detection in streaming vessel data", 2010) in constant
/// memory: two generations, each a sorted sample of bounded size.
/// </summary>
internal sealed class NoveltyMemory
{
    public const int MaxBytes = 16 + (2 * Generation.MaxBytes);

    private const int GenerationLength = 30_000;
    private const double NearShare = 0.002;
    private const double LeastScaleShare = 0.05;

    private Generation current = new();
    private Generation before = new();
    private double mean;
    private double deviation;

    /// <summary>The probability of a value at least as novel; 1 without enough data.</summary>
    /// <param name="distance">Pass it to <see cref="Learn"/>.</param>
    public double Judge(float value, out float distance)
    {
        distance = float.NaN;
        var seen = current.Seen + before.Seen;
        if (seen == 0)
            return 1;
        distance = NearestShare(value, Math.Max(1, NearShare * seen));
        var judged = current.Tail.Count + before.Tail.Count;
        if (judged == 0)
            return 1;
        var least = LeastScaleShare * deviation;
        var above = current.Tail.ExpectedAbove(distance, least) + before.Tail.ExpectedAbove(distance, least);
        return Math.Clamp(above / judged, 1e-30, 1);
    }

    public void Learn(float value, float distance)
    {
        var rate = 1.0 / (Math.Min(current.Seen + before.Seen, 2000) + 1);
        deviation += rate * (Math.Abs(value - mean) - deviation);
        mean += rate * (value - mean);
        if (current.Seen >= GenerationLength)
        {
            (before, current) = (current, before);
            current.Clear();
        }

        current.Learn(value, distance);
    }

    /// <summary>Forgets values of another kind.</summary>
    public void Clear()
    {
        current.Clear();
        before.Clear();
        (mean, deviation) = (0, 0);
    }

    public void Write(ref StateWriter writer)
    {
        writer.Double(mean);
        writer.Double(deviation);
        current.Write(ref writer);
        before.Write(ref writer);
    }

    public void Read(ref StateReader reader)
    {
        mean = reader.Double();
        deviation = reader.Double();
        current.Read(ref reader);
        before.Read(ref reader);
    }

    private float NearestShare(float value, double weight)
    {
        var (a, b) = (new Cursor(current, value), new Cursor(before, value));
        var distance = 0f;
        while (weight > 0)
        {
            var (nextA, nextB) = (a.Nearest, b.Nearest);
            if (float.IsPositiveInfinity(nextA) && float.IsPositiveInfinity(nextB))
                break;
            if (nextA <= nextB)
            {
                (distance, weight) = (nextA, weight - current.Stride);
                a.Step();
            }
            else
            {
                (distance, weight) = (nextB, weight - before.Stride);
                b.Step();
            }
        }

        return distance;
    }

    /// <summary>Walks a generation's values outward from a value.</summary>
    private struct Cursor
    {
        private readonly float[] values;
        private readonly int kept;
        private readonly float value;
        private int below;
        private int above;

        public Cursor(Generation generation, float value)
        {
            (values, kept, this.value) = (generation.Values, generation.Kept, value);
            var at = Array.BinarySearch(values, 0, kept, value);
            above = at < 0 ? ~at : at;
            below = above - 1;
        }

        public readonly float Nearest => Math.Min(Below, Above);

        private readonly float Below => below >= 0 ? value - values[below] : float.PositiveInfinity;

        private readonly float Above => above < kept ? values[above] - value : float.PositiveInfinity;

        public void Step()
        {
            if (Below <= Above)
                below--;
            else
                above++;
        }
    }

    private sealed class Generation
    {
        public const int MaxBytes = 16 + (MaxKept * sizeof(float)) + ExcessTail.MaxBytes;

        private const int MaxKept = 512;
        private int phase;

        /// <summary>Ascending.</summary>
        public float[] Values { get; } = new float[MaxKept];

        public int Kept { get; private set; }

        /// <summary>How many values each kept one represents.</summary>
        public int Stride { get; private set; } = 1;

        public int Seen { get; private set; }

        public ExcessTail Tail { get; } = new();

        public void Learn(float value, float distance)
        {
            Seen++;
            if (!float.IsNaN(distance))
                Tail.Learn(distance);
            if (++phase < Stride)
                return;
            phase = 0;
            if (Kept == MaxKept)
                Thin();
            var at = Array.BinarySearch(Values, 0, Kept, value);
            at = at < 0 ? ~at : at;
            Array.Copy(Values, at, Values, at + 1, Kept - at);
            Values[at] = value;
            Kept++;
        }

        public void Clear()
        {
            (Kept, Stride, Seen, phase) = (0, 1, 0, 0);
            Tail.Clear();
        }

        public void Write(ref StateWriter writer)
        {
            writer.Int(Seen);
            writer.Int(Stride);
            writer.Int(phase);
            writer.Int(Kept);
            writer.Floats(Values.AsSpan(0, Kept));
            Tail.Write(ref writer);
        }

        public void Read(ref StateReader reader)
        {
            Seen = reader.Int();
            Stride = reader.Int();
            phase = reader.Int();
            Kept = reader.Int();
            reader.Floats(Values.AsSpan(0, Kept));
            Tail.Read(ref reader);
        }

        /// <summary>Drops every second value and keeps both ends, which matter most.</summary>
        private void Thin()
        {
            for (var i = 1; i < MaxKept / 2; i++)
                Values[i] = Values[(2 * i) + 1];
            Kept = MaxKept / 2;
            Stride *= 2;
        }
    }
}
