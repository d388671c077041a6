using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalHost.Sample;

public static class TimerFunctions
{
    [Function("Tick")]
    public static void Tick([TimerTrigger("%Sample:Tick%")] TimerInfo timer) => Notes.Add(
        $"tick {timer.IsPastDue} {timer.ScheduleStatus is not null} {timer.ScheduleStatus?.Next.Kind}");

    [Function("TickAtStart")]
    public static void TickAtStart([TimerTrigger("0 0 0 1 1 *", RunOnStartup = true)] TimerInfo timer) =>
        Notes.Add($"tick at start {timer.IsPastDue} {timer.ScheduleStatus!.Next:MM-dd HH:mm:ss}");

    [Function("TickFails")]
    public static void TickFails([TimerTrigger("0 0 0 1 1 *", UseMonitor = false)] TimerInfo timer) =>
        throw new InvalidOperationException("this tick fails");
}
