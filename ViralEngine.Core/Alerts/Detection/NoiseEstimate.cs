namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// The variance of a mean of n: that between windows plus that of a single one divided by n, by a running regression of
/// the squared misses on 1/n.
/// </summary>
internal sealed class NoiseEstimate
{
    public const int Bytes = 36;

    private const double Rate = 0.001;
    private const double Clip = 16;
    private const double Least = 1e-6;

    private double square;
    private double inverse;
    private double inverseSquare;
    private double both;

    public int Count { get; private set; }

    public double Variance(double n)
    {
        if (Count == 0)
            return 0;
        var x = 1 / n;
        var spread = inverseSquare - (inverse * inverse);
        var single = spread > 1e-3 * inverse * inverse ? (both - (square * inverse)) / spread : 0;
        single = Math.Clamp(single, 0, square / inverse);
        return Math.Max(Least, square + (single * (x - inverse)));
    }

    public void Learn(double miss, double n)
    {
        var x = 1 / n;
        var squared = miss * miss;
        if (Count > 30)
            squared = Math.Min(squared, Clip * Variance(n));
        Count = Math.Min(Count + 1, 1_000_000);
        var rate = Math.Max(Rate, 1.0 / Count);
        square += rate * (squared - square);
        inverse += rate * (x - inverse);
        inverseSquare += rate * ((x * x) - inverseSquare);
        both += rate * ((squared * x) - both);
    }

    public void Write(ref StateWriter writer)
    {
        writer.Double(square);
        writer.Double(inverse);
        writer.Double(inverseSquare);
        writer.Double(both);
        writer.Int(Count);
    }

    public void Read(ref StateReader reader)
    {
        square = reader.Double();
        inverse = reader.Double();
        inverseSquare = reader.Double();
        both = reader.Double();
        Count = reader.Int();
    }
}
