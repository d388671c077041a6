using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// Wakes the claiming loop: by signals within the process, by notifications between processes, and by the clock.
/// Notifications are grouped, because a NOTIFY in every transaction serializes commits.
/// </summary>
internal sealed class Wakeups(
    DurableDatabase database,
    IOptions<DurableOptions> options,
    DatabaseClock clock,
    ILogger<Wakeups> logger) : IDisposable
{
    private static readonly TimeSpan BetweenNotifications = TimeSpan.FromMilliseconds(5);

    private readonly Signal look = new();
    private readonly Signal tellOthers = new();
    private long dueTicks = DateTime.MaxValue.Ticks;
    private volatile bool crowded;
    private volatile bool listening;
    private volatile int others;
    private int idlePoll = 25;

    /// <summary>Other processes that are alive.</summary>
    public int Others
    {
        get => others;
        set => others = value;
    }

    /// <summary>There is something to look for in this process.</summary>
    public void Look() => look.Set();

    /// <summary>There is work in the store that anyone may claim.</summary>
    public void WorkLeft()
    {
        look.Set();
        if (others > 0) tellOthers.Set();
    }

    /// <summary>An instance of this process is due at a time.</summary>
    public void DueAt(DateTime due)
    {
        var ticks = due.Ticks;
        long known;
        while (ticks < (known = Volatile.Read(ref dueTicks)))
        {
            if (Interlocked.CompareExchange(ref dueTicks, ticks, known) != known) continue;
            look.Set();
            return;
        }
    }

    /// <summary>The last look had to leave work for want of room.</summary>
    public void Crowded() => crowded = true;

    /// <summary>Room has been made.</summary>
    public void RoomMade()
    {
        if (!crowded) return;
        crowded = false;
        look.Set();
    }

    /// <summary>Waits until it is time to look.</summary>
    /// <param name="found">Whether the last look found anything.</param>
    /// <param name="nextDue">When the store expects the next instance to be due.</param>
    /// <param name="ct">Ends the wait.</param>
    public async Task WaitAsync(bool found, DateTime? nextDue, CancellationToken ct)
    {
        if (nextDue is { } due) DueAt(due);
        var wait = TimeSpan.FromMilliseconds(PollMilliseconds(found));
        var untilDue = new DateTime(Volatile.Read(ref dueTicks), DateTimeKind.Utc) - clock.UtcNow;
        if (untilDue < wait) wait = untilDue > TimeSpan.Zero ? untilDue + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero;
        if (!await look.WaitAsync(wait, ct) || untilDue <= TimeSpan.Zero)
            Volatile.Write(ref dueTicks, DateTime.MaxValue.Ticks);
    }

    /// <summary>Sends notifications, gathered.</summary>
    public async Task NotifyAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (!await tellOthers.WaitAsync(Timeout.InfiniteTimeSpan, ct)) continue;
            try
            {
                await NotifyOnceAsync(ct);
            }
            catch (Exception exception) when (DurableDatabase.IsTransient(exception))
            {
                EngineLog.StoreAway(logger, exception);
            }

            await Task.Delay(BetweenNotifications, ct);
        }
    }

    public async Task NotifyOnceAsync(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("SELECT pg_notify($1, '')");
        command.Parameters.Add(Parameter.Of(DurableDatabase.Channel));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Receives notifications for as long as they arrive; behind a transaction pooler they do not.</summary>
    public async Task ListenAsync(CancellationToken ct)
    {
        while (options.Value.Listen && !ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.Source.OpenConnectionAsync(ct);
                var mark = Guid.NewGuid().ToString("N");
                connection.Notification += (_, notification) =>
                {
                    if (notification.Payload == mark) listening = true;
                    look.Set();
                };
                await using (var listen = new NpgsqlCommand($"LISTEN {DurableDatabase.Channel}", connection))
                    await listen.ExecuteNonQueryAsync(ct);
                await using (var test = database.Source.CreateCommand("SELECT pg_notify($1, $2)"))
                {
                    test.Parameters.Add(Parameter.Of(DurableDatabase.Channel));
                    test.Parameters.Add(Parameter.Of(mark));
                    await test.ExecuteNonQueryAsync(ct);
                }

                for (var tries = 0; tries < 5 && !listening; tries++) await connection.WaitAsync(1000, ct);
                if (!listening)
                {
                    EngineLog.Polling(logger);
                    return;
                }

                while (true) await connection.WaitAsync(ct);
            }
            catch (Exception exception) when (DurableDatabase.IsTransient(exception))
            {
                EngineLog.StoreAway(logger, exception);
                await Task.Delay(1000, ct);
            }
            finally
            {
                listening = false;
            }
        }
    }

    public void Dispose()
    {
        look.Dispose();
        tellOthers.Dispose();
    }

    // Alone, or notified by others, nothing is missed; otherwise the store is polled often while it has work.
    private int PollMilliseconds(bool found)
    {
        if (listening || others == 0) return options.Value.PollMilliseconds;
        idlePoll = found ? 25 : Math.Min(idlePoll * 2, 500);
        return idlePoll;
    }
}
