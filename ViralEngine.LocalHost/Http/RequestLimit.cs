using System.Threading.RateLimiting;
using ViralEngine.LocalHost.Hosting;

namespace ViralEngine.LocalHost.Http;

/// <summary>Limits concurrent and waiting requests, by host.json.</summary>
internal sealed class RequestLimit(HostJson host) : IDisposable
{
    private readonly ConcurrencyLimiter? limiter = Limiter(host);

    /// <summary>Waits for a place. Not acquired if too many requests are waiting.</summary>
    public ValueTask<RateLimitLease> EnterAsync(CancellationToken ct) =>
        limiter is null ? ValueTask.FromResult<RateLimitLease>(Open.Instance) : limiter.AcquireAsync(1, ct);

    public void Dispose() => limiter?.Dispose();

    private static ConcurrencyLimiter? Limiter(HostJson host)
    {
        if (host is { MaxConcurrentRequests: null, MaxOutstandingRequests: null }) return null;
        var outstanding = host.MaxOutstandingRequests ?? int.MaxValue;
        var concurrent = Math.Min(host.MaxConcurrentRequests ?? outstanding, outstanding);
        return new(new() { PermitLimit = concurrent, QueueLimit = outstanding - concurrent });
    }

    private sealed class Open : RateLimitLease
    {
        public static readonly Open Instance = new();

        public override bool IsAcquired => true;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }
    }
}
