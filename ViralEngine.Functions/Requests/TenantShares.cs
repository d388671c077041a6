using Microsoft.Extensions.Options;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Requests;

/// <summary>The resources of an instance that a tenant may hold.</summary>
internal enum ShareKind
{
    /// <summary>A request with an immediate response.</summary>
    Request,

    /// <summary>A stream of events.</summary>
    Stream,

    /// <summary>A streamed body or result.</summary>
    Transfer,

    /// <summary>A request that holds a database connection for its whole duration.</summary>
    Transaction,
}

/// <summary>
/// Counts what each tenant holds of this instance and enforces its share, so that there is always room for others.
/// </summary>
internal sealed class TenantShares(IOptions<EdgeOptions> options, PoolSize pool, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly Lock gate = new();
    private readonly Dictionary<(TenantId, ShareKind), Share> shares = [];

    /// <summary>Takes one; for a transaction, waits a while for its turn. Dispose to release it.</summary>
    /// <exception cref="ProblemException">429 if the tenant holds its whole share.</exception>
    public async ValueTask<IDisposable> TakeAsync(TenantId tenant, ShareKind kind, CancellationToken ct)
    {
        var most = Most(kind);
        Waiter waiter;
        lock (gate)
        {
            if (!shares.TryGetValue((tenant, kind), out var share))
                shares[(tenant, kind)] = share = new Share();
            if (share.Taken < most)
            {
                share.Taken++;
                return new Held(this, tenant, kind);
            }

            if (kind != ShareKind.Transaction)
                throw new ProblemException(TooMany(kind, most));
            waiter = new Waiter();
            share.Waiting.AddLast(waiter);
        }

        await waiter.WaitAsync(Patience, time, ct);
        return waiter.TryLeave()
            ? throw (ct.IsCancellationRequested ? new OperationCanceledException(ct) : new ProblemException(
                TooMany(kind, most)))
            : new Held(this, tenant, kind);
    }

    private int Most(ShareKind kind) => kind switch
    {
        ShareKind.Request => options.Value.MaxRequestsPerTenant,
        ShareKind.Stream => options.Value.MaxStreamsPerTenant,
        ShareKind.Transfer => options.Value.MaxTransfersPerTenant,
        ShareKind.Transaction => Math.Max(1, pool.Connections / 2),
    };

    private void Give(TenantId tenant, ShareKind kind)
    {
        lock (gate)
        {
            var share = shares[(tenant, kind)];
            while (share.Waiting.First is { Value: var next })
            {
                share.Waiting.RemoveFirst();
                if (next.TryGo())
                    return; // its place is passed on
            }

            if (--share.Taken == 0)
                shares.Remove((tenant, kind));
        }
    }

    private static Problem TooMany(ShareKind kind, int most) => new(
        429, "too-many-at-once", "Too many concurrent requests.",
        kind switch
        {
            ShareKind.Stream => $"Your organization may have {most:N0} streams open on an instance.",
            ShareKind.Transfer =>
                $"Your organization may have {most:N0} concurrent uploads and downloads on an instance.",
            ShareKind.Request => $"Your organization may have {most:N0} concurrent requests on an instance.",
            ShareKind.Transaction => "Your organization's requests are waiting for each other. Send fewer at a time.",
        })
    {
        RetryAfter = 1,
    };

    private sealed class Share
    {
        public int Taken { get; set; }

        public LinkedList<Waiter> Waiting { get; } = [];
    }

    /// <summary>Admitted or timed out, whichever happens first.</summary>
    private sealed class Waiter
    {
        private readonly TaskCompletionSource turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int settled;

        public bool TryGo()
        {
            if (Interlocked.Exchange(ref settled, 1) == 1)
                return false;
            turn.SetResult();
            return true;
        }

        public bool TryLeave() => Interlocked.Exchange(ref settled, 1) == 0;

        public async Task WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken ct) =>
            await turn.Task.WaitAsync(patience, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private sealed class Held(TenantShares owner, TenantId tenant, ShareKind kind) : IDisposable
    {
        private int given;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref given, 1) == 0)
                owner.Give(tenant, kind);
        }
    }
}

/// <summary>The maximum number of PostgreSQL connections of this process.</summary>
internal sealed record PoolSize(int Connections);
