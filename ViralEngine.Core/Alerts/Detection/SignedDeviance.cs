namespace ViralEngine.Core.Alerts.Detection;

/// <summary>
/// Deviance residuals (McCullagh and Nelder, "Generalized Linear Models", 1989, section 2.4): how far a count is from
/// what was expected, in standard deviations of the normal distribution whose tail is as likely. With a continuity
/// correction of half an event towards the expected value.
/// </summary>
internal static class SignedDeviance
{
    private const double NearlyPoisson = 1e-9;

    /// <param name="spread">Beyond Poisson: the variance is expected + spread × expected².</param>
    public static double OfCount(double count, double expected, double spread)
    {
        var seen = Toward(count, expected);
        var direction = Math.Sign(seen - expected);
        double deviance;
        if (spread < NearlyPoisson)
        {
            deviance = XLog(seen, expected) - (seen - expected);
        }
        else
        {
            var shape = 1 / spread;
            deviance = XLog(seen, expected) - ((seen + shape) * Math.Log((seen + shape) / (expected + shape)));
        }

        return direction * Math.Sqrt(Math.Max(0, 2 * deviance));
    }

    /// <param name="correlation">Beyond binomial: the correlation of trials (beta-binomial).</param>
    public static double OfRate(double hits, double trials, double probability, double correlation)
    {
        var share = 1 / (1 + (Math.Max(0, trials - 1) * correlation));
        var seen = Toward(hits, trials * probability) * share;
        var all = trials * share;
        var deviance = XLog(seen, all * probability) + XLog(all - seen, all * (1 - probability));
        return Math.Sign(seen - (all * probability)) * Math.Sqrt(Math.Max(0, 2 * deviance));
    }

    /// <summary>The two-sided probability of a standard normal variable this far from 0.</summary>
    public static double Probability(double deviation)
    {
        var x = Math.Abs(deviation) / Math.Sqrt(2);
        // Abramowitz and Stegun 7.1.26 has a bounded absolute error; farther out the continued fraction has a relative
        // one.
        if (x < 2)
        {
            var t = 1 / (1 + (0.3275911 * x));
            var polynomial = t * (0.254829592 + (
                t * (-0.284496736 + (t * (1.421413741 + (t * (-1.453152027 + (t * 1.061405429))))))));
            return Math.Min(1, polynomial * Math.Exp(-x * x));
        }

        var fraction = x + (0.5 / (x + (1 / (x + (1.5 / (x + (2 / (x + (2.5 / x)))))))));
        return Math.Max(1e-30, Math.Exp(-x * x) / (fraction * Math.Sqrt(Math.PI)));
    }

    private static double Toward(double seen, double expected) =>
        seen > expected ? Math.Max(expected, seen - 0.5) : Math.Min(expected, seen + 0.5);

    private static double XLog(double x, double expected) => x > 0 ? x * Math.Log(x / expected) : 0;
}
