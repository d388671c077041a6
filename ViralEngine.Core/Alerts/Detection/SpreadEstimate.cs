namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// A ratio of two running sums: how much wider than its model a series is. Starts with a cautious value.
/// </summary>
internal sealed class SpreadEstimate
{
    public const int Bytes = 20;

    private const double Start = 0.05;
    private const int StartWeight = 30;
    private const double Rate = 0.001;

    private double excess;
    private double size;
    private int learnt;

    public double Value
    {
        get
        {
            var own = size > 0 ? Math.Clamp(excess / size, 0, 4) : Start;
            return ((own * learnt) + (Start * StartWeight)) / (learnt + StartWeight);
        }
    }

    public void Learn(double excessNow, double sizeNow)
    {
        if (!(sizeNow > 0))
            return;
        // Each window estimates the ratio; larger ones weigh more.
        learnt = Math.Min(learnt + 1, 100_000);
        var rate = Math.Max(Rate, 1.0 / learnt);
        excess += rate * (excessNow - excess);
        size += rate * (sizeNow - size);
    }

    public void Write(ref StateWriter writer)
    {
        writer.Double(excess);
        writer.Double(size);
        writer.Int(learnt);
    }

    public void Read(ref StateReader reader)
    {
        excess = reader.Double();
        size = reader.Double();
        learnt = reader.Int();
    }
}
