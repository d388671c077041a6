using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Storage;
using ViralEngine.LocalHost.Worker;

namespace ViralEngine.LocalHost.Timers;

/// <summary>Listens for every timer of the app, from when its functions are known to its stop.</summary>
internal sealed partial class TimerHost(
    WorkerChannel channel,
    Invocations invocations,
    TimerStore store,
    DatabaseClock clock,
    IConfiguration settings,
    ILoggerFactory loggers) : BackgroundService
{
    private readonly TaskCompletionSource<IReadOnlyDictionary<string, LocalTimer>> loaded =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Takes the timers among the worker's functions. The app does not start when one has no schedule.
    /// </summary>
    /// <exception cref="InvalidOperationException">A schedule cannot be read, or its setting is missing.</exception>
    public void Load(IEnumerable<WorkerFunction> functions) => loaded.SetResult(functions
        .Where(function => function.Has("timerTrigger"))
        .Select(Timer)
        .ToDictionary(timer => timer.Name, StringComparer.OrdinalIgnoreCase));

    /// <summary>The timer of that name; null when there is none.</summary>
    public LocalTimer? Find(string name) =>
        loaded.Task.IsCompletedSuccessfully ? loaded.Task.Result.GetValueOrDefault(name) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var timers = await loaded.Task.WaitAsync(stoppingToken);
        var logger = loggers.CreateLogger<TimerListener>();
        await store.SetAsync(clock, stoppingToken);
        await Task.WhenAll(timers.Values.Select(timer =>
            new TimerListener(timer, store, clock, logger).RunAsync(stoppingToken)));
    }

    private LocalTimer Timer(WorkerFunction function)
    {
        var timer = new TimerFunction(function, channel, invocations, loggers.CreateLogger<TimerFunction>());
        var schedule = TimerSchedule.Parse(Resolve(timer.Schedule, timer.Name));
        return new(timer.Name, schedule, timer.UseMonitor, timer.RunOnStartup, timer.TryInvokeAsync);
    }

    private string Resolve(string schedule, string function) => Setting().Replace(schedule, match =>
        settings[match.Groups[1].Value] ?? throw new InvalidOperationException(
            $"Setting '{match.Groups[1].Value}', the schedule of timer '{function}', is missing."));

    [GeneratedRegex("%([^%]+)%")]
    private static partial Regex Setting();
}
