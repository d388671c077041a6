namespace ViralEngine.LocalHost.Timers;

/// <summary>A run of a timer that this process holds. All times are UTC.</summary>
/// <param name="Name">The function's.</param>
/// <param name="Owner">The fencing token: new for each claim.</param>
/// <param name="Last">When the timer last ran; the default if never.</param>
/// <param name="Due">The occurrence that this run is for.</param>
/// <param name="Updated">When the two were stored.</param>
internal sealed record TimerRun(string Name, Guid Owner, DateTime Last, DateTime Due, DateTime Updated);
