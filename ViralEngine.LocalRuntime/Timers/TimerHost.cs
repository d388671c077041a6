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
    private readonly Dictionary<string, TimerListener> listeners = new(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="InvalidOperationException">A schedule is not one, or names a setting that is missing.</exception>
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
            listeners[function.Name] = new TimerListener(function, schedule, store, runner, time, logger);
        }
    }

    /// <summary>The timer of that name; null when there is none.</summary>
    public TimerListener? Find(string name) => listeners.GetValueOrDefault(name);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(listeners.Values.Select(listener => listener.RunAsync(stoppingToken)));

    private static string Resolve(string schedule, string function, IConfiguration settings) =>
        Setting().Replace(schedule, match =>
            settings[match.Groups[1].Value]
            ?? throw new InvalidOperationException(
                $"Setting '{match.Groups[1].Value}', the schedule of timer '{function}', is missing."));

    [GeneratedRegex("%([^%]+)%")]
    private static partial Regex Setting();
}
