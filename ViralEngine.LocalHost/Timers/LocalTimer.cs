namespace ViralEngine.LocalHost.Timers;

/// <summary>A timer of the app: when it runs, and how.</summary>
/// <param name="Name">The function's.</param>
/// <param name="UseMonitor">Whether the schedule is remembered across restarts.</param>
/// <param name="RunOnStartup">Whether it also runs when a process starts.</param>
internal sealed record LocalTimer(
    string Name, TimerSchedule Schedule, bool UseMonitor, bool RunOnStartup, LocalTimer.Run TryRunAsync)
{
    /// <summary>Runs the function once. False when it was cancelled, and the run is still to be done.</summary>
    internal delegate Task<bool> Run(bool pastDue, ScheduleStatus? status, CancellationToken ct);
}

/// <summary>The state of a schedule. Times are UTC.</summary>
internal sealed record ScheduleStatus(DateTime Last, DateTime Next, DateTime LastUpdated);
