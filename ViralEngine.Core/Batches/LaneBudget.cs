using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Batches;

/// <summary>
/// Who may run how many lanes in this process: the places are shared evenly among the tenants that want any. Lanes come back for
/// each turn, so a newcomer has its share within one.
/// </summary>
public sealed class LaneBudget(IOptions<BatchOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);
    private readonly Lock gate = new();
    private readonly Dictionary<TenantId, Share> shares = [];
    private readonly int places = options.Value.LanesPerInstance;
    private int taken;

    /// <summary>A place for a lane, until disposal; null: the tenant has its share, or all are taken.</summary>
    public Place? TryTake(TenantId tenant)
    {
        lock (gate)
        {
            foreach (var (other, idle) in shares)
            {
                if (idle.Running == 0 && time.GetElapsedTime(idle.LastWanted) > Memory)
                    shares.Remove(other);
            }

            if (!shares.TryGetValue(tenant, out var share))
                shares[tenant] = share = new Share();
            share.LastWanted = time.GetTimestamp();
            if (taken >= places || share.Running >= Math.Max(1, places / shares.Count))
                return null;
            share.Running++;
            taken++;
            return new Place(this, share);
        }
    }

    private void Return(Share share)
    {
        lock (gate)
        {
            share.Running--;
            taken--;
        }
    }

    internal sealed class Share
    {
        public int Running { get; set; }

        public long LastWanted { get; set; }
    }

    public sealed class Place : IDisposable
    {
        private readonly Share share;
        private LaneBudget? budget;

        internal Place(LaneBudget budget, Share share) => (this.budget, this.share) = (budget, share);

        public void Dispose() => Interlocked.Exchange(ref budget, null)?.Return(share);
    }
}
