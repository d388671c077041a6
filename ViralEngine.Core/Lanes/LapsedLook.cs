using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Lanes;

/// <summary>
/// When a lane looks for what dead workers hold: every second, and not while the living may still have to renew.
/// </summary>
public sealed class LapsedLook(Outage outage, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private long last;

    /// <summary>Whether to look now. True counts as a look.</summary>
    internal bool IsDue()
    {
        if (outage.IsFresh || (last != 0 && time.GetElapsedTime(last) < Every))
            return false;
        last = time.GetTimestamp();
        return true;
    }
}
