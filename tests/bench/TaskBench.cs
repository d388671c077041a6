using System.Diagnostics;

namespace ViralEngine.Bench;

/// <summary>
/// Tasks of the echo agent from the first submission over HTTP to the last completion in the database: many clients
/// submit one after the other, as the servers of those do who send their users' work on.
/// </summary>
internal static class TaskBench
{
    private const int Clients = 128;
    private const int Seconds = 15;
    private const int Goal = 2_000;

    public static async Task RunAsync(BenchStack stack)
    {
        var wrk = ClientsOf(stack);
        await wrk.WarmUpAsync();
        await stack.ScalarAsync("ANALYZE");
        var (submitted, completed) = await MeasureAsync(stack, wrk);
        Report.Line(
            $"echo tasks, submission to completion, {Clients} clients", $"{completed,7:0} tasks/s",
            $"{completed / Goal:0.00} of the goal of {Goal:N0}/s");
        Report.Line("  of which submitted", $"{submitted,7:0} tasks/s");
    }

    /// <summary>Tasks a second, from the first submission to the last completion.</summary>
    public static async Task<double> MeasureAsync(BenchStack stack) =>
        (await MeasureAsync(stack, ClientsOf(stack))).Completed;

    private static async Task<(double Submitted, double Completed)> MeasureAsync(BenchStack stack, Wrk wrk)
    {
        await AllDoneAsync(stack);
        var before = await CountAsync(stack);
        var started = Stopwatch.GetTimestamp();
        var submitted = (await wrk.RunAsync(Seconds)).PerSecond;
        await AllDoneAsync(stack);
        return (submitted, (await CountAsync(stack) - before) / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static Wrk ClientsOf(BenchStack stack) =>
        new(new Uri(stack.App.Address, "/api/tasks"), Clients, "echo.lua", RequestBench.EnvironmentOf(stack));

    private static async Task AllDoneAsync(BenchStack stack)
    {
        while (await stack.ScalarAsync(
            "SELECT EXISTS (SELECT FROM viral.tasks "
            + "WHERE status IN ('pending', 'in_progress') AND scheduled_at IS NULL)") is true)
            await Task.Delay(20);
    }

    private static async Task<long> CountAsync(BenchStack stack) =>
        (long)(await stack.ScalarAsync("SELECT count(*) FROM viral.tasks WHERE status = 'completed'"))!;
}
