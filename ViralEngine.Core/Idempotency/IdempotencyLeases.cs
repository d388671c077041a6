using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Idempotency;

/// <summary>Renews the leases of claimed keys while their requests run.</summary>
public sealed partial class IdempotencyLeases(
    NpgsqlDataSource dataSource,
    SecretBox secrets,
    IOptions<IdempotencyOptions> options,
    TimeProvider time,
    ILogger<IdempotencyLeases> logger)
{
    /// <summary>
    /// Renews the claim, on connections of its own, until disposal. Dispose it before storing the response, which locks
    /// the row that a renewal would wait for.
    /// </summary>
    public IAsyncDisposable Keep(IdempotencyScope scope, Guid token)
    {
        var ended = new CancellationTokenSource();
        return new Kept(ended, RenewAsync(scope, token, ended.Token));
    }

    private async Task RenewAsync(IdempotencyScope scope, Guid token, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.Value.Lease / 3, time, ct);
                try
                {
                    await using var db = new Db(dataSource);
                    if (!await new IdempotencyStore(db, secrets, options).RenewAsync(scope, token, ct))
                        return;
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException)
                {
                    // Without a database, the request will fail too; if it does not, the claim decides.
                    LogFailed(logger, e);
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The request is over.
        }
    }

    private sealed class Kept(CancellationTokenSource ended, Task loop) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (loop.IsCompleted && ended.IsCancellationRequested)
                return;
            await ended.CancelAsync();
            await loop;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The lease of an idempotency key could not be renewed; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
