using System.Diagnostics;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// Limits the cost of the templates rendered in one advance of a workflow. Charged at each statement, comparison and
/// filter, so that users' templates cannot run for long.
/// </summary>
public sealed class LiquidMeter
{
    private const long MaxWork = 2_000_000;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    private long work;
    private TimeSpan spent;
    private long? started;

    /// <summary>The clock runs only during rendering, not while values are loaded.</summary>
    internal IDisposable Run()
    {
        started = Stopwatch.GetTimestamp();
        return new Running(this);
    }

    /// <param name="units">One for a statement, more for iterations.</param>
    /// <exception cref="LiquidException">The budget is used up.</exception>
    internal void Charge(long units = 1)
    {
        work += units;
        if (work > MaxWork || (started is { } since && spent + Stopwatch.GetElapsedTime(since) > MaxTime))
            throw new LiquidException("The template takes too long.");
    }

    private sealed class Running(LiquidMeter meter) : IDisposable
    {
        public void Dispose()
        {
            meter.spent += Stopwatch.GetElapsedTime(meter.started!.Value);
            meter.started = null;
        }
    }
}
