using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Bounds the memory this process holds for clients: request bodies and results. One tenant may hold at most half of
/// it.
/// </summary>
internal sealed class BytesInFlight(IOptions<EdgeOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private readonly Lock gate = new();
    private readonly Dictionary<TenantId, long> held = [];
    private long total;

    private long Most => options.Value.MaxBytesInFlight;

    /// <summary>The number of bytes held now.</summary>
    public long Total
    {
        get
        {
            lock (gate)
                return total;
        }
    }

    /// <summary>Reserves bytes immediately or fails.</summary>
    /// <exception cref="ProblemException">429 if the tenant holds too much; 503 if all tenants together do.</exception>
    public HeldBytes Take(TenantId tenant, long bytes) =>
        TryTake(tenant, bytes, out var isOwn)
            ? new HeldBytes(this, tenant, bytes)
            : throw new ProblemException(Full(isOwn));

    /// <summary>Reserves bytes, waiting a while for others to release theirs.</summary>
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
            // A request larger than the share may proceed when the tenant holds nothing else.
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
            "Your organization's requests and results have reached their memory limit on this instance. "
            + "Wait for some to finish.")
        {
            RetryAfter = 1,
        }
        : new Problem(
            503, "busy", "This instance is busy.", "It has reached its memory limit. Try again.")
        { RetryAfter = 1 };
}

/// <summary>Reserved bytes; dispose to release them.</summary>
internal sealed class HeldBytes(BytesInFlight owner, TenantId tenant, long bytes) : IDisposable
{
    private long bytes = bytes;

    /// <summary>Reserves more bytes.</summary>
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
