using System.Diagnostics;
using Npgsql;

namespace ViralEngine.Bench;

/// <summary>
/// What recording metrics costs: tasks and batch items with the triggers on and off, each pair in the other order than the one before, so
/// that the machine's moods fall on both. Beside that stands the time that PostgreSQL itself counts in the triggers' functions. It includes
/// waiting for a processor, so it is the most that it can be.
/// </summary>
internal static class RecordingBench
{
    private const int Pairs = 4;
    private const int Items = 100_000;
    private const double Goal = 0.03;

    public static async Task RunAsync(BenchStack stack)
    {
        await ExecuteAsync(stack, "ALTER SYSTEM SET track_functions = 'pl'");
        await ExecuteAsync(stack, "SELECT pg_reload_conf()");
        await TaskBench.MeasureAsync(stack);
        await CompareAsync(stack, "echo tasks", "tasks", "viral.events", "record_task_metrics", async () =>
        {
            var began = Stopwatch.GetTimestamp();
            return (await TaskBench.MeasureAsync(stack), Stopwatch.GetElapsedTime(began).TotalSeconds);
        });
        await CompareAsync(stack, "batch of 100,000 echo items", "items", "viral.batch_items", "record_item_metrics", async () =>
        {
            var executed = (await BatchBench.RunBatchAsync(stack, Items)).Executed;
            return (executed, Items / executed);
        });
    }

    /// <param name="measure">How many were worked on in a second, and for how long.</param>
    private static async Task CompareAsync(
        BenchStack stack, string what, string unit, string table, string trigger, Func<Task<(double PerSecond, double Seconds)>> measure)
    {
        var (on, off, share) = (new List<double>(), new List<double>(), new List<double>());
        for (var run = 0; run < 2 * Pairs; run++)
        {
            var recorded = run % 4 is 0 or 3;
            await ExecuteAsync(stack, $"ALTER TABLE {table} {(recorded ? "ENABLE" : "DISABLE")} TRIGGER {trigger}");
            var before = await SpentAsync(stack, trigger);
            var (perSecond, seconds) = await measure();
            (recorded ? on : off).Add(perSecond);
            if (recorded)
                share.Add((await SpentAsync(stack, trigger) - before) / seconds / Environment.ProcessorCount);
        }

        await ExecuteAsync(stack, $"ALTER TABLE {table} ENABLE TRIGGER {trigger}");
        var ratios = on.Zip(off, (with, without) => with / without).Order().ToList();
        Report.Line(
            $"{what} with metrics recorded", $"{Median(on),7:0} {unit}/s",
            $"{Median(ratios):0.000} of what they are without ({Median(off):0}), {ratios[0]:0.00} to {ratios[^1]:0.00} in {Pairs} pairs");
        Report.Line("  in the recording's function", $"at most {Median(share):0.00%} of all time", $"{Median(share) / Goal:0.00} of the goal of {Goal:0%}");
    }

    /// <summary>Seconds inside a function so far.</summary>
    private static async Task<double> SpentAsync(BenchStack stack, string function)
    {
        // Sessions tell what they have counted once a second.
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        await using var connection = new NpgsqlConnection(stack.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT COALESCE(sum(total_time), 0) / 1000 FROM pg_stat_user_functions WHERE funcname = $1", connection)
        {
            Parameters = { new() { Value = function } },
        };
        return (double)(await command.ExecuteScalarAsync())!;
    }

    private static double Median(List<double> values) => Report.Percentile([.. values.Order()], 0.5);

    private static async Task ExecuteAsync(BenchStack stack, string sql)
    {
        await using var connection = new NpgsqlConnection(stack.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
