using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using ViralEngine.LocalHost.Tests.Hosting;
using ViralEngine.LocalHost.Timers;

namespace ViralEngine.LocalHost.Tests.Timers;

/// <summary>What one process does about the timer <c>Tick</c>, over a database that may have others.</summary>
internal sealed class TimerProcess : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly TimerStore store;
    private readonly Task running;

    private TimerProcess(TimerStore store, LocalTimer timer, TimeProvider time)
    {
        this.store = store;
        running = new TimerListener(timer, store, time, NullLogger<TimerListener>.Instance).RunAsync(stop.Token);
    }

    public static TimerProcess Start(
        ScratchDatabase database,
        TimerRuns runs,
        TimeProvider time,
        string schedule = "0 * * * * *",
        bool runOnStartup = false)
    {
        var settings = new ConfigurationBuilder()
            .AddInMemoryCollection([new("ConnectionStrings:Postgres", database.ConnectionString)])
            .Build();
        return new(
            new TimerStore(settings),
            new LocalTimer("Tick", TimerSchedule.Parse(schedule), UseMonitor: true, runOnStartup, runs.TryRunAsync),
            time);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        await store.DisposeAsync();
        stop.Dispose();
    }
}
