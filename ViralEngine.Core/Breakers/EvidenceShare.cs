using System.Collections.Concurrent;

namespace ViralEngine.Core.Breakers;

/// <summary>
/// Limits how much of the evidence for a host's shared breaker comes from one tenant: per sampling time, half of what
/// it takes to open it. One tenant alone can then neither open it nor hide that a host is down.
/// </summary>
internal sealed class EvidenceShare(BreakersOptions options, TimeProvider time)
{
    private const int MaxKnown = 50_000;

    private readonly ConcurrentDictionary<string, Window> windows = new();
    private readonly int most = Math.Max(1, (int)(options.MinimumCalls * options.FailureRatio / 2));

    /// <summary>Counts the tenant's call, and returns whether it is still within the share.</summary>
    public bool Take(Guid tenant, string host)
    {
        if (windows.Count > MaxKnown)
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
