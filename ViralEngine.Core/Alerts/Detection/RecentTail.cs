namespace ViralEngine.Core.Alerts.Detection;

/// <summary>The tail of recent numbers, in two generations: the older is dropped when the newer is full.</summary>
internal sealed class RecentTail(int generation, double heaviestShape)
{
    public const int MaxBytes = 2 * ExcessTail.MaxBytes;

    private ExcessTail current = new(heaviestShape);
    private ExcessTail before = new(heaviestShape);

    public int Count => current.Count + before.Count;

    /// <inheritdoc cref="ExcessTail.LearnBounded"/>
    public void LearnBounded(float number)
    {
        Turn();
        current.LearnBounded(number);
    }

    public void Learn(float number)
    {
        Turn();
        current.Learn(number);
    }

    /// <summary>The probability of a number at least as large; 1 without data.</summary>
    public double Probability(float number, double leastScale) => Count == 0
        ? 1
        : Math.Clamp(
            (current.ExpectedAbove(number, leastScale) + before.ExpectedAbove(number, leastScale)) / Count, 1e-30, 1);

    /// <summary>The number reached with this probability; NaN without data.</summary>
    public double LevelOf(double probability, double leastScale)
    {
        if (before.Count == 0)
            return current.LevelOf(probability * current.Count, leastScale);
        var old = before.LevelOf(probability * before.Count, leastScale);
        if (current.Count == 0)
            return old;
        var share = (double)current.Count / Count;
        return (share * current.LevelOf(probability * current.Count, leastScale)) + ((1 - share) * old);
    }

    public void Clear()
    {
        current.Clear();
        before.Clear();
    }

    public void Write(ref StateWriter writer)
    {
        current.Write(ref writer);
        before.Write(ref writer);
    }

    public void Read(ref StateReader reader)
    {
        current.Read(ref reader);
        before.Read(ref reader);
    }

    private void Turn()
    {
        if (current.Count < generation)
            return;
        (before, current) = (current, before);
        current.Clear();
    }
}
