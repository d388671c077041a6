using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Runs orchestrations and activities in this process for as long as the app runs.</summary>
internal sealed class DurableWorker(
    EngineServices services,
    IOptions<DurableOptions> options,
    ILogger<DurableWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(15);

    private readonly TimeSpan lease = TimeSpan.FromSeconds(options.Value.LeaseSeconds);

    /// <summary>The session that takes on work; null before the first and between two.</summary>
    public EngineSession? Session { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await services.Code.ReadyAsync(stoppingToken);
        using var signals = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var wakeups = Task.WhenAll(
            services.Wakeups.ListenAsync(signals.Token), services.Wakeups.NotifyAsync(signals.Token));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunSessionAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                // The engine survives any error: a new session continues from what is stored.
                EngineLog.Stumbled(logger, exception);
                await Task.WhenAny(Task.Delay(1000, stoppingToken));
            }
        }

        await Task.WhenAny(wakeups);
    }

    private async Task RunSessionAsync(CancellationToken stoppingToken)
    {
        var workerId = await services.Workers.RegisterAsync(lease, stoppingToken);
        var session = new EngineSession(workerId, options.Value, services, logger, stoppingToken);
        EngineLog.Began(logger, workerId);
        using var end = new CancellationTokenSource();
        List<Task> loops =
        [
            new StepCommitter(session, services).RunAsync(end.Token),
            new Claimer(session, services).RunAsync(end.Token),
            new StepRunner(session, services).RunAsync(end.Token),
            BeatAsync(session, end.Token),
        ];

        Session = session;
        try
        {
            var stopped = Task.Delay(Timeout.Infinite, stoppingToken);
            var first = await Task.WhenAny([stopped, .. loops]);
            Session = null;
            session.TakeNothingMore();
            if (first == stopped) await QuietenAsync(session);
        }
        finally
        {
            Session = null;
            await end.CancelAsync();
            await Task.WhenAny(Task.WhenAll(loops));
            await ReleaseAsync(workerId);
        }

        foreach (var loop in loops) if (loop.IsFaulted) await loop;
    }

    /// <summary>
    /// Renews the leases; ends when they are lost. It takes nothing over from others before it has renewed for half a
    /// lease without trouble: an outage of the store makes all leases lapse, and those who are alive renew theirs
    /// first.
    /// </summary>
    private async Task BeatAsync(EngineSession session, CancellationToken ct)
    {
        var (untroubled, beaten) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        while (true)
        {
            if (!session.BeatsSeldom && Stopwatch.GetElapsedTime(beaten) > lease)
                untroubled = Stopwatch.GetTimestamp();
            // Alone and without leases, there is nothing to take over.
            var seldom = session.BeatsSeldom = session.IsQuiet && services.Wakeups.Others == 0;
            try
            {
                var pulse = await services.Workers.BeatAsync(
                    session.WorkerId, seldom ? lease + Seldom : lease,
                    takesOver: Stopwatch.GetElapsedTime(untroubled) > lease / 2, ct);
                beaten = Stopwatch.GetTimestamp();
                if (!pulse.Alive)
                {
                    EngineLog.LostLeases(logger, session.WorkerId);
                    return;
                }

                services.Wakeups.Others = pulse.Others;
                // Other processes announce themselves by a heartbeat; from then on, theirs are watched.
                seldom &= pulse.Others == 0;
                if (pulse.Freed > 0)
                {
                    EngineLog.TookOver(logger, pulse.Freed);
                    services.Wakeups.WorkLeft();
                }
            }
            catch (Exception exception) when (DurableDatabase.IsTransient(exception))
            {
                untroubled = Stopwatch.GetTimestamp();
                EngineLog.StoreAway(logger, exception);
            }

            await session.WorkAgain.WaitAsync(seldom ? Seldom : lease / 4, ct);
        }
    }

    private async Task QuietenAsync(EngineSession session)
    {
        var end = services.Clock.UtcNow.AddSeconds(options.Value.ShutdownSeconds);
        while (!session.IsQuiet && services.Clock.UtcNow < end) await Task.Delay(10);
    }

    private async Task ReleaseAsync(long workerId)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        try
        {
            await services.Workers.ReleaseAsync(workerId, limit.Token);
            if (services.Wakeups.Others > 0) await services.Wakeups.NotifyOnceAsync(limit.Token);
        }
        catch (Exception exception) when (
            DurableDatabase.IsTransient(exception) || exception is OperationCanceledException)
        {
            EngineLog.StoreAway(logger, exception);
        }
    }
}
