using Microsoft.Extensions.Logging;
using Npgsql;

namespace ViralEngine.LocalHost.Timers;

/// <summary>Waits for one timer's occurrences and runs those that no other process runs.</summary>
internal sealed partial class TimerListener(
    LocalTimer timer,
    TimerStore store,
    TimeProvider time,
    ILogger<TimerListener> logger)
{
    // How often a listener checks whether another process changed the schedule.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    // Known from the previous run, so that it need not be read.
    private DateTimeOffset? upcoming;

    private bool Monitored => timer.UseMonitor && !timer.Schedule.IsUnderAMinute(time.GetUtcNow());

    /// <summary>Runs until cancelled. Retries every second while the database is unreachable.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var registered = false;
        var reachable = true;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (!registered)
                {
                    await RegisterAsync(ct);
                    registered = true;
                }

                await AwaitAndRunAsync(ct);
                reachable = true;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (NpgsqlException exception)
            {
                if (reachable)
                    LogUnreachable(logger, exception, timer.Name);
                reachable = false;
                await Task.Delay(Retry, CancellationToken.None);
            }
        }
    }

    private async Task RegisterAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await StoreAsync(now, ct);
        if (timer.RunOnStartup && await store.TryClaimAsync(timer.Name, now, early: true, ct) is { } run)
            await RunAsync(run, pastDue: false, ct);
    }

    private Task StoreAsync(DateTimeOffset now, CancellationToken ct) => store.RegisterAsync(
        timer.Name, timer.Schedule.Text, timer.Schedule.Next(now) ?? DateTimeOffset.MaxValue, now, !Monitored, ct);

    private async Task AwaitAndRunAsync(CancellationToken ct)
    {
        var known = upcoming;
        upcoming = null;
        if ((known ?? await store.NextRunAsync(timer.Name, ct)) is not { } next)
        {
            await RegisterAsync(ct);
            return;
        }

        var now = time.GetUtcNow();
        var wait = next - now;
        if (wait > MaxWait)
        {
            // The clock by which it was stored has been set right since.
            if (next > timer.Schedule.Next(now) + MaxWait)
                await StoreAsync(now, ct);
            await Task.Delay(MaxWait, time, ct);
            return;
        }

        // No process was running when it became due.
        var pastDue = wait <= TimeSpan.Zero;
        if (!pastDue)
            await Task.Delay(wait, time, ct);
        if (await store.TryClaimAsync(timer.Name, time.GetUtcNow(), early: false, ct) is { } run)
            await RunAsync(run, pastDue && Monitored, ct);
        else if (pastDue)
            await Task.Delay(Retry, ct);
    }

    private async Task RunAsync(TimerRun run, bool pastDue, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var began = time.GetUtcNow();
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var done = new CancellationTokenSource();
        var renewing = RenewAsync(run, lost, done.Token);
        var completed = await timer.TryRunAsync(
            pastDue,
            Monitored ? new(run.Last, run.Due, run.Updated) : null,
            lost.Token);
        await done.CancelAsync();
        await renewing;

        DateTimeOffset? next = completed ? timer.Schedule.Next(time.GetUtcNow()) ?? DateTimeOffset.MaxValue : null;
        // A stopping app still ends the run, or the next one would be late.
        await store.ReleaseAsync(run, began, next, CancellationToken.None);
        upcoming = next;
    }

    private async Task RenewAsync(TimerRun run, CancellationTokenSource lost, CancellationToken ct)
    {
        // The lease uses the database's clock, so renew by real time, not the app's TimeProvider.
        using var ticks = new PeriodicTimer(TimerStore.RenewEvery);
        try
        {
            while (await ticks.WaitForNextTickAsync(ct))
            {
                if (await store.TryRenewAsync(run, ct))
                    continue;
                await lost.CancelAsync();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
        catch (NpgsqlException exception)
        {
            LogUnreachable(logger, exception, timer.Name);
            await lost.CancelAsync();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "The stored schedule of timer '{Timer}' cannot be reached; trying again")]
    private static partial void LogUnreachable(ILogger logger, Exception exception, string timer);
}
