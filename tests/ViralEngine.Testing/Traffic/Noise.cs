namespace ViralEngine.Testing.Traffic;

/// <summary>Random numbers of the distributions that traffic has. The same seed gives the same numbers.</summary>
public sealed class Noise(int seed)
{
    private readonly Random random = new(seed);

    public double Uniform() => random.NextDouble();

    public double Normal()
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
        return radius * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    public int Poisson(double mean)
    {
        if (mean > 50)
            return (int)Math.Max(0, Math.Round(mean + (Math.Sqrt(mean) * Normal())));
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = random.NextDouble(); product > limit; product *= random.NextDouble())
            count++;
        return count;
    }

    public int Binomial(int trials, double probability)
    {
        var mean = trials * probability;
        if (trials > 100 && mean > 30 && trials - mean > 30)
            return (int)Math.Clamp(Math.Round(mean + (Math.Sqrt(mean * (1 - probability)) * Normal())), 0, trials);
        if (trials > 100 && mean <= 30)
            return Math.Min(trials, Poisson(mean));
        var hits = 0;
        for (var i = 0; i < trials; i++)
        {
            if (random.NextDouble() < probability)
                hits++;
        }

        return hits;
    }
}
