using System.Text.Json;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Worker;
using ViralEngine.LocalHost.Worker.Protocol;

namespace ViralEngine.LocalHost.Timers;

/// <summary>A function that a timer starts.</summary>
internal sealed partial class TimerFunction(
    WorkerFunction function, WorkerChannel channel, Invocations invocations, ILogger<TimerFunction> logger)
{
    public string Name => function.Name;

    public string Schedule => function.Setting("schedule") ?? "";

    /// <summary>Whether the schedule is remembered across restarts; true unless the trigger says no.</summary>
    public bool UseMonitor => !IsFalse("useMonitor");

    public bool RunOnStartup =>
        function.Trigger.TryGetProperty("runOnStartup", out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>Runs the function once, with what a <see cref="LocalTimer"/> says.</summary>
    public async Task<bool> TryInvokeAsync(bool pastDue, ScheduleStatus? status, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize(new
        {
            Schedule = new { AdjustForDST = true },
            ScheduleStatus = status,
            IsPastDue = pastDue,
        });
        try
        {
            var response = await channel.InvokeAsync(invocations.Timer(function, json), ct);
            if (response.Result.Status == StatusResult.Types.Status.Success) return true;
            if (ct.IsCancellationRequested) return false;
            // A timer that failed waits for its next occurrence.
            LogFailed(logger, Name, response.Result.Exception?.Message ?? "");
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private bool IsFalse(string name) =>
        function.Trigger.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.False;

    [LoggerMessage(LogLevel.Error, "Timer '{Timer}' failed: {Failure}")]
    private static partial void LogFailed(ILogger logger, string timer, string failure);
}
