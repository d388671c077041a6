namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// The score that a series reaches by chance as often as its rule allows. The highest scores of blocks of 150 minutes,
/// real alarms cut off, have a tail whose level for a given rate is extrapolated (Siffer et al., "Anomaly Detection in
/// Streams with Extreme Value Theory", KDD
/// 2017); until there are enough blocks, most of it is what independent normal noise would need.
/// </summary>
/// <param name="oncePerMonth">The score assumed to be reached once a month while little data was seen.</param>
internal sealed class AlarmThreshold(double oncePerMonth)
{
    public const int MaxBytes = 12 + RecentTail.MaxBytes;
    public const int BlockMinutes = 150;

    private const double MinutesInMonth = 43_200;

    private const int StartWeight = 100;
    private const int GenerationLength = 2_000;
    private const double LeastScale = 0.3;

    /// <summary>The minimum threshold, however calm the series.</summary>
    private const double Least = 3.5;

    /// <summary>
    /// How far above the threshold a block may be learned: a few incidents do not deafen the detector, many false
    /// alarms do.
    /// </summary>
    private const double MaxAbove = 2;

    private readonly RecentTail blocks = new(GenerationLength, heaviestShape: 0);
    private long block = -1;
    private float highest;

    /// <param name="perMonth">False alarms per month.</param>
    public double For(double perMonth)
    {
        var start = oncePerMonth - Math.Log10(perMonth);
        if (blocks.Count == 0)
            return start;
        var own = blocks.LevelOf(Math.Min(1, perMonth * BlockMinutes / MinutesInMonth), LeastScale);
        var share = (double)blocks.Count / (blocks.Count + StartWeight);
        return Math.Clamp((share * own) + ((1 - share) * start), Least, 2.5 * start);
    }

    /// <summary>Forgets scores that were measured by another rule.</summary>
    public void Clear()
    {
        blocks.Clear();
        (block, highest) = (-1, 0);
    }

    /// <param name="goesOn">Whether the score continues an incident, which counts once, by its opening score.</param>
    public void Learn(long minute, double score, bool goesOn)
    {
        var now = minute / BlockMinutes;
        if (now != block)
        {
            if (block >= 0)
                blocks.Learn(highest);
            (block, highest) = (now, 0);
        }

        if (!goesOn)
            highest = (float)Math.Max(highest, Math.Min(score, For(1) + MaxAbove));
    }

    public void Write(ref StateWriter writer)
    {
        writer.Long(block);
        writer.Float(highest);
        blocks.Write(ref writer);
    }

    public void Read(ref StateReader reader)
    {
        block = reader.Long();
        highest = reader.Float();
        blocks.Read(ref reader);
    }
}
