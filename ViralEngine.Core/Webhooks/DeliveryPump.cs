using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Webhooks;

/// <summary>
/// The delivery loop of an instance: claims due deliveries, sends them, stores the outcomes. All state is in
/// PostgreSQL, so the process may die at any point; other instances take over when its leases expire.
/// </summary>
public sealed partial class DeliveryPump : IDisposable
{
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    /// <summary>How long a stopping instance waits for its attempts to end.</summary>
    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(Guid Delivery, int Attempt), ClaimedDelivery> running = new();
    private readonly SemaphoreSlim wake = new(0, 1);
    private readonly NpgsqlDataSource dataSource;
    private readonly WebhookSender sender;
    private readonly IOptions<WebhooksOptions> options;
    private readonly TimeProvider time;
    private readonly Random random;
    private readonly ILogger<DeliveryPump> logger;
    private readonly CircuitBreakers? breakers;
    private readonly Awake? awake;
    private volatile bool idle;

    public DeliveryPump(
        NpgsqlDataSource dataSource,
        Outgoing.OutgoingHttp outgoing,
        SecretBox box,
        IOptions<WebhooksOptions> options,
        TimeProvider time,
        Random random,
        ILogger<DeliveryPump> logger,
        CircuitBreakers? breakers = null,
        Awake? awake = null)
    {
        this.dataSource = dataSource;
        sender = new WebhookSender(outgoing, box, options, time);
        this.options = options;
        this.time = time;
        this.random = random;
        this.logger = logger;
        this.breakers = breakers;
        this.awake = awake;
    }

    /// <summary>Wakes the loop immediately: something was queued here.</summary>
    public void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to look anyway.
        }
    }

    /// <summary>Shortens the idle interval: something happened here that may queue messages.</summary>
    public void Stir()
    {
        if (idle)
            Wake();
    }

    public void Dispose() => wake.Dispose();

    /// <summary>Delivers until cancelled, then waits for running attempts.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var abandoned = new CancellationTokenSource();
        var renewing = RenewAsync(abandoned.Token);
        // The first look is delayed, because a starting instance has requests to serve.
        var pause = Soon;
        while (await WaitAsync(pause, ct) is { } woken)
        {
            // Nothing is open on any instance, and nothing was queued here.
            if (!woken && pause > Soon && awake is not null && !await awake.IsSinceAsync(Awake.ForWork))
                continue;
            pause = woken || !running.IsEmpty ? Soon : Longer(pause);
            idle = pause > Soon;
            while (!ct.IsCancellationRequested && await TurnAsync(abandoned.Token))
            {
                pause = Soon;
                awake?.Mark();
            }
        }

        abandoned.CancelAfter(DrainBound);
        while (!running.IsEmpty)
            await WaitAsync(Soon, CancellationToken.None);
        await abandoned.CancelAsync();
        await renewing;
    }

    /// <summary>Claims and starts due deliveries; true if there may be more.</summary>
    private async Task<bool> TurnAsync(CancellationToken ct)
    {
        var room = options.Value.Concurrency - running.Count;
        if (room <= 0)
            return false;
        List<ClaimedDelivery> claimed;
        try
        {
            await using var db = new Db(dataSource);
            claimed = await Queue(db).ClaimAsync(room, [.. running.Values], ct);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            LogNotClaimed(logger, e);
            return false;
        }

        foreach (var delivery in claimed)
        {
            running[(delivery.Id, delivery.Attempt)] = delivery;
            _ = DeliverAsync(delivery, ct);
        }

        return claimed.Count > 0;
    }

    private async Task DeliverAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        try
        {
            await AttemptAsync(delivery, ct);
        }
        catch (Exception e)
        {
            // Nobody awaits this. The outcome is unknown; the attempt is made again when its lease expires.
            LogNotStored(logger, e, delivery.Id, delivery.Attempt);
        }
        finally
        {
            running.TryRemove((delivery.Id, delivery.Attempt), out _);
            Wake();
        }
    }

    private async Task AttemptAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        await using var db = new Db(dataSource);
        WebhookAttempt attempt;
        try
        {
            attempt = await SendAsync(delivery, ct);
        }
        catch (BreakerOpenException e)
        {
            // No attempt was made, so none is counted: it waits for the host's breaker, and one of the waiting
            // deliveries is the trial.
            await Queue(db).ReleaseAsync(delivery, e.RetryAfter, CancellationToken.None);
            return;
        }
        catch (OperationCanceledException)
        {
            await Queue(db).ReleaseAsync(delivery, TimeSpan.Zero, CancellationToken.None);
            return;
        }

        if (!await new DeliveryResults(db, options, random).StoreAsync(delivery, attempt, CancellationToken.None))
            LogLeaseLost(logger, delivery.Id, delivery.Attempt);
    }

    /// <summary>
    /// Sends through the host's breaker. Hosts are shared, so only failures of the host itself count (no response, or a
    /// gateway without a server), not errors of one endpoint.
    /// </summary>
    private async Task<WebhookAttempt> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        if (breakers is null || !Uri.TryCreate(delivery.Url, UriKind.Absolute, out var url))
            return await sender.SendAsync(delivery, ct);
        await using var pass = await breakers.EnterAsync(delivery.Tenant.Value, $"webhook:{url.Authority}");
        var attempt = await sender.SendAsync(delivery, ct);
        await pass.ReportAsync(attempt.ResponseStatus is null or 502 or 503 or 504);
        return attempt;
    }

    private TimeSpan Soon => TimeSpan.FromMilliseconds(options.Value.PollMilliseconds);

    /// <summary>Other instances send what they queue, so an idle instance polls ever more rarely.</summary>
    private TimeSpan Longer(TimeSpan pause)
    {
        var most = TimeSpan.FromMilliseconds(
            Math.Max(options.Value.PollMilliseconds, options.Value.IdlePollMilliseconds));
        return pause * 1.5 < most ? pause * 1.5 : most;
    }

    /// <returns>Whether it was woken; null if it must stop.</returns>
    private async Task<bool?> WaitAsync(TimeSpan pause, CancellationToken ct)
    {
        try
        {
            return await wake.WaitAsync(pause, ct);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task RenewAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await Task.Delay(RenewEvery, time, ct);
                if (running.Values is { Count: > 0 } held)
                {
                    await using var db = new Db(dataSource);
                    await Queue(db).RenewAsync([.. held], ct);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                LogNotRenewed(logger, e);
            }
        }
    }

    private DeliveryQueue Queue(Db db) => new(db, options);

    [LoggerMessage(1, LogLevel.Warning, "Webhook deliveries could not be claimed; trying again")]
    private static partial void LogNotClaimed(ILogger logger, Exception exception);

    [LoggerMessage(
        2, LogLevel.Error,
        "Delivery {DeliveryId}: the result of attempt {Attempt} could not be stored; it will be sent again")]
    private static partial void LogNotStored(ILogger logger, Exception exception, Guid deliveryId, int attempt);

    [LoggerMessage(
        3, LogLevel.Warning, "Delivery {DeliveryId}: the lease of attempt {Attempt} was lost; its result is dropped")]
    private static partial void LogLeaseLost(ILogger logger, Guid deliveryId, int attempt);

    [LoggerMessage(4, LogLevel.Warning, "Leases of webhook deliveries could not be renewed; trying again")]
    private static partial void LogNotRenewed(ILogger logger, Exception exception);
}
