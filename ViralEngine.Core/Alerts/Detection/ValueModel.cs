namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Values of an unknown distribution. A value is novel if it is far from all that were seen, by itself and, if the
/// series has a season, by its deviation from it. The two are combined by their root mean square.
/// </summary>
internal sealed class ValueModel : SeriesModel
{
    private const double LevelRate = 0.01;

    private readonly Season season = new(dailyMinutes: 5, weeklyMinutes: 15, followsClocks: false);
    private readonly NoveltyBank values = new();
    private readonly NoveltyBank misses = new();
    private SeasonKind kind;
    private bool missed;

    public override int Quarantine => 5;

    public override double Suspicion => 1;

    public override double OncePerMonth => 8.5;

    public override int MaxBytes => 2 + season.MaxBytes + (2 * NoveltyBank.MaxBytes);

    public override Judgement Judge(Observation point)
    {
        var expected = season.Expect(point.Minute);
        if (kind != season.Kind)
        {
            kind = season.Kind;
            misses.Clear();
        }

        var score = values.Judge(point.Value);
        missed = kind != SeasonKind.None && season.Error > 0;
        if (missed)
        {
            var miss = misses.Judge((point.Value - expected) / season.Error);
            score = Math.Sqrt(((score * score) + (miss * miss)) / 2);
        }

        var scale = (missed ? misses : values).Strangest;
        var actual = values.Means[scale];
        var band = 4 * season.Error;
        var deviation = season.Error > 0 ? (actual - expected) / season.Error : 0;
        return new Judgement(
            score, scale, deviation, actual, expected, expected - band, expected + band, Lengths[scale], true);
    }

    public override void Learn(Observation point, bool quarantined)
    {
        if (quarantined)
            return;
        values.Learn();
        if (missed)
            misses.Learn();
        season.Learn(point.Minute, point.Value, LevelRate, quarantined: false);
    }

    public override void Accept() => season.Rebase(1, values.Means[Scales - 1] - season.Level);

    public override void Write(ref StateWriter writer)
    {
        writer.Byte((byte)kind);
        season.Write(ref writer);
        values.Write(ref writer);
        misses.Write(ref writer);
    }

    public override void Read(ref StateReader reader)
    {
        kind = (SeasonKind)reader.Byte();
        season.Read(ref reader);
        values.Read(ref reader);
        misses.Read(ref reader);
    }

    /// <summary>Novelty at each scale.</summary>
    private sealed class NoveltyBank
    {
        public const int MaxBytes = 5 + (Longest * sizeof(float)) + (Scales * NoveltyMemory.MaxBytes);

        private readonly NoveltyMemory[] memories = [new(), new(), new()];
        private readonly float[] recent = new float[Longest];
        private readonly float[] distances = new float[Scales];
        private int next;
        private int filled;

        public float[] Means { get; } = new float[Scales];

        public int Strangest { get; private set; }

        public double Judge(double value)
        {
            recent[next] = (float)value;
            next = (next + 1) % Longest;
            filled = Math.Min(filled + 1, Longest);
            double sum = 0, score = 0, most = -1;
            var (taken, scale) = (0, 0);
            foreach (var length in Lengths)
            {
                for (; taken < Math.Min(length, filled); taken++)
                    sum += recent[(next - 1 - taken + Longest) % Longest];
                Means[scale] = (float)(sum / taken);
                var strange = -Math.Log10(memories[scale].Judge(Means[scale], out distances[scale]));
                score += strange;
                if (strange > most)
                    (most, Strangest) = (strange, scale);
                scale++;
            }

            return score;
        }

        public void Learn()
        {
            for (var scale = 0; scale < Scales; scale++)
                memories[scale].Learn(Means[scale], distances[scale]);
        }

        public void Clear()
        {
            foreach (var memory in memories)
                memory.Clear();
            filled = 0;
        }

        public void Write(ref StateWriter writer)
        {
            writer.Byte((byte)next);
            writer.Byte((byte)filled);
            writer.Floats(recent);
            foreach (var memory in memories)
                memory.Write(ref writer);
        }

        public void Read(ref StateReader reader)
        {
            next = reader.Byte();
            filled = reader.Byte();
            reader.Floats(recent);
            foreach (var memory in memories)
                memory.Read(ref reader);
        }
    }
}
