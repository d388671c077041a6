using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalRuntime.Hosting;

namespace ViralEngine.LocalRuntime.Timers;

/// <summary>Listens for every timer of the app, from its start to its stop.</summary>
internal sealed partial class TimerHost : BackgroundService
{
    private readonly Dictionary<string, TimerFunction> timers = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<TimerListener> listeners = [];

    /// <exception cref="InvalidOperationException">A schedule is none, or names a setting that is missing.</exception>
    public TimerHost(
        FunctionCatalog catalog,
        TimerStore store,
        FunctionRunner runner,
        TimeProvider time,
        IConfiguration settings,
        ILogger<TimerListener> logger)
    {
        foreach (var function in catalog.Functions)
        {
            if (function.Trigger is not TimerTriggerAttribute trigger)
                continue;
            var schedule = TimerSchedule.Parse(Resolve(trigger.Schedule, function.Name, settings));
            var timer = new TimerFunction(function, runner);
            timers[timer.Name] = timer;
            listeners.Add(new TimerListener(timer, schedule, store, time, logger));
        }
    }

    /// <summary>The timer of that name; null when there is none.</summary>
    public TimerFunction? Find(string name) => timers.GetValueOrDefault(name);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(listeners.Select(listener => listener.RunAsync(stoppingToken)));

    private static string Resolve(string schedule, string function, IConfiguration settings) =>
        Setting().Replace(schedule, match =>
            settings[match.Groups[1].Value]
            ?? throw new InvalidOperationException(
                $"Setting '{match.Groups[1].Value}', the schedule of timer '{function}', is missing."));

    [GeneratedRegex("%([^%]+)%")]
    private static partial Regex Setting();
}
