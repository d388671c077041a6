using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Tests.Timers;

internal sealed class EveryMinute(TimerRuns runs)
{
    [Function("Tick")]
    public Task TickAsync([TimerTrigger("0 * * * * *")] TimerInfo timer, CancellationToken ct) =>
        runs.RunAsync(timer, ct);
}

internal sealed class EverySecond(TimerRuns runs)
{
    [Function("Tick")]
    public Task TickAsync([TimerTrigger("* * * * * *")] TimerInfo timer, CancellationToken ct) =>
        runs.RunAsync(timer, ct);
}

internal sealed class EveryHalfHour(TimerRuns runs)
{
    [Function("Tick")]
    public Task TickAsync([TimerTrigger("00:30:00")] TimerInfo timer, CancellationToken ct) =>
        runs.RunAsync(timer, ct);
}

internal sealed class BySetting(TimerRuns runs)
{
    [Function("Tick")]
    public Task TickAsync([TimerTrigger("%Sweep:Schedule%")] TimerInfo timer, CancellationToken ct) =>
        runs.RunAsync(timer, ct);
}

internal sealed class AtStart(TimerRuns runs)
{
    [Function("Tick")]
    public Task TickAsync([TimerTrigger("0 0 0 1 1 *", RunOnStartup = true)] TimerInfo timer, CancellationToken ct) =>
        runs.RunAsync(timer, ct);
}
