using System.Collections.Concurrent;

namespace ViralEngine.Core.Breakers;

/// <summary>
/// How much of what a host's shared breaker hears may come from one tenant: in each sampling time, half of what it takes to open it.
/// One tenant alone cannot open it then, whatever he does, nor hide from the others that a host is down.
/// </summary>
internal sealed class EvidenceShare(BreakersOptions options, TimeProvider time)
{
    private const int MostKnown = 50_000;

    private readonly ConcurrentDictionary<string, Window> windows = new();
    private readonly int most = Math.Max(1, (int)(options.MinimumCalls * options.FailureRatio / 2));

    /// <summary>Whether this call of the tenant's is still to be heard; counts it.</summary>
    public bool Take(Guid tenant, string host)
    {
        if (windows.Count > MostKnown)
            windows.Clear();
        var window = windows.GetOrAdd(BreakerKey.Of(tenant, host), _ => new Window());
        return window.Take(time, TimeSpan.FromSeconds(options.SamplingSeconds), most);
    }

    private sealed class Window
    {
        private readonly Lock gate = new();
        private long began;
        private int taken;

        public bool Take(TimeProvider time, TimeSpan length, int most)
        {
            lock (gate)
            {
                if (taken == 0 || time.GetElapsedTime(began) >= length)
                    (began, taken) = (time.GetTimestamp(), 0);
                return ++taken <= most;
            }
        }
    }
}
