using Npgsql;

namespace ViralEngine.Bench;

/// <summary>
/// What recording metrics costs: tasks and batch items with what they record stored and not, each pair in the other order than the one
/// before, so that the machine's moods fall on both. Not stored is what a trigger throws away before the table sees it.
/// </summary>
internal static class RecordingBench
{
    private const int Pairs = 10;
    private const int Items = 100_000;
    private const double Goal = 0.97;

    public static async Task RunAsync(BenchStack stack)
    {
        await ExecuteAsync(
            stack,
            """
            CREATE OR REPLACE FUNCTION viral.throw_away() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE OR REPLACE TRIGGER throw_away BEFORE INSERT ON viral.metric_points FOR EACH ROW EXECUTE FUNCTION viral.throw_away();
            """);
        await TaskBench.MeasureAsync(stack);
        await CompareAsync(stack, "echo tasks", "tasks", () => TaskBench.MeasureAsync(stack));
        await BatchBench.RunBatchAsync(stack, Items);
        await CompareAsync(
            stack, "batch of 100,000 echo items", "items", async () => (await BatchBench.RunBatchAsync(stack, Items)).Executed);
        await ExecuteAsync(stack, "DROP TRIGGER throw_away ON viral.metric_points");
    }

    private static async Task CompareAsync(BenchStack stack, string what, string unit, Func<Task<double>> measure)
    {
        var (on, off) = (new List<double>(), new List<double>());
        for (var run = 0; run < 2 * Pairs; run++)
        {
            var recorded = run % 4 is 0 or 3;
            await ExecuteAsync(stack, $"ALTER TABLE viral.metric_points {(recorded ? "DISABLE" : "ENABLE")} TRIGGER throw_away");
            (recorded ? on : off).Add(await measure());
        }

        var ratios = on.Zip(off, (with, without) => with / without).Order().ToList();
        Report.Line(
            $"{what} with metrics recorded", $"{Median(on),7:0} {unit}/s",
            $"{Median(ratios):0.000} of what they are without ({Median(off):0}; goal {Goal}), {ratios[0]:0.00} to {ratios[^1]:0.00} in {Pairs} pairs");
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
