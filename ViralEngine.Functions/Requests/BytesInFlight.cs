using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Bounds what this process holds in memory for clients: bodies that come in, results that go out. No tenant may have more than
/// half of it.
/// </summary>
internal sealed class BytesInFlight(IOptions<EdgeOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private readonly Lock gate = new();
    private readonly Dictionary<TenantId, long> held = [];
    private long total;

    private long Most => options.Value.MaxBytesInFlight;

    /// <summary>How many are held now.</summary>
    public long Total
    {
        get
        {
            lock (gate)
                return total;
        }
    }

    /// <summary>Takes room at once, or not at all.</summary>
    /// <exception cref="ProblemException">429: it is the tenant who holds too much; 503: all together do.</exception>
    public HeldBytes Take(TenantId tenant, long bytes) =>
        TryTake(tenant, bytes, out var isOwn) ? new HeldBytes(this, tenant, bytes) : throw new ProblemException(Full(isOwn));

    /// <summary>Takes room, and waits a while for it: what others hold goes out.</summary>
    /// <exception cref="ProblemException">As of <see cref="Take"/>.</exception>
    public async Task<HeldBytes> TakeAsync(TenantId tenant, long bytes, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        bool isOwn;
        while (!TryTake(tenant, bytes, out isOwn))
        {
            if (time.GetElapsedTime(started) > Patience)
                throw new ProblemException(Full(isOwn));
            await Task.Delay(Look, time, ct);
        }

        return new HeldBytes(this, tenant, bytes);
    }

    internal bool TryTake(TenantId tenant, long bytes, out bool isOwn)
    {
        lock (gate)
        {
            var own = held.GetValueOrDefault(tenant);
            // One that alone is more than the share goes when nothing else of the tenant does.
            var isBeyondShare = own > 0 && own + bytes > Most / 2;
            isOwn = isBeyondShare && tenant.Value != Guid.Empty;
            if (isBeyondShare || (total > 0 && total + bytes > Most))
                return false;
            held[tenant] = own + bytes;
            total += bytes;
            return true;
        }
    }

    internal void Give(TenantId tenant, long bytes)
    {
        lock (gate)
        {
            total -= bytes;
            var left = held[tenant] - bytes;
            if (left > 0)
                held[tenant] = left;
            else
                held.Remove(tenant);
        }
    }

    internal static Problem Full(bool isOwn) => isOwn
        ? new Problem(
            429, "too-much-at-once", "Too much data in flight.",
            "Your organization's requests and results have reached their memory limit on this instance. Wait for some to finish.")
        {
            RetryAfter = 1,
        }
        : new Problem(503, "busy", "This instance is busy.", "It has reached its memory limit. Try again.") { RetryAfter = 1 };
}

/// <summary>Room that is taken; dispose it to give it back.</summary>
internal sealed class HeldBytes(BytesInFlight owner, TenantId tenant, long bytes) : IDisposable
{
    private long bytes = bytes;

    /// <summary>Takes more.</summary>
    /// <exception cref="ProblemException">As of <see cref="BytesInFlight.Take"/>.</exception>
    public void Grow(long more)
    {
        if (!owner.TryTake(tenant, more, out var isOwn))
            throw new ProblemException(BytesInFlight.Full(isOwn));
        bytes += more;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref bytes, 0) is > 0 and var given)
            owner.Give(tenant, given);
    }
}
