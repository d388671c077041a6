using Npgsql;

namespace ViralEngine.Bench;

/// <summary>
/// What storing recorded metrics costs. While work goes on, what it records is stored for half a second and thrown away
/// for half a second, by a trigger that both pay for; the database then counts what ended in each. Neighbouring halves
/// are compared, in alternating order, so that the machine's moods fall on both. Summing up what is recorded, in the
/// memory of the same statement, is not measured.
/// </summary>
internal static class RecordingBench
{
    private const int Items = 400_000;
    private const double Goal = 0.97;
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(150);

    public static async Task RunAsync(BenchStack stack)
    {
        await stack.ScalarAsync(
            """
            CREATE TABLE viral.recording (stored boolean NOT NULL);
            INSERT INTO viral.recording VALUES (true);
            CREATE FUNCTION viral.store_or_throw_away() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                IF (SELECT stored FROM viral.recording) THEN
                    RETURN NEW;
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER store_or_throw_away BEFORE INSERT ON viral.metric_points
                FOR EACH ROW EXECUTE FUNCTION viral.store_or_throw_away();
            """);
        await TaskBench.MeasureAsync(stack);
        await CompareAsync(
            stack, "echo tasks", "tasks", "tasks", async done =>
            {
                while (!done.IsCancellationRequested)
                    await TaskBench.MeasureAsync(stack);
            });
        await BatchBench.RunBatchAsync(stack, Items);
        await CompareAsync(
            stack, "echo items of batches", "items", "batch_items", async done =>
            {
                while (!done.IsCancellationRequested)
                    await BatchBench.RunBatchAsync(stack, Items);
            });
        await stack.ScalarAsync(
            "DROP TRIGGER store_or_throw_away ON viral.metric_points; DROP FUNCTION viral.store_or_throw_away(); "
            + "DROP TABLE viral.recording");
    }

    private static async Task CompareAsync(
        BenchStack stack, string what, string unit, string table, Func<CancellationToken, Task> workAsync)
    {
        using var done = new CancellationTokenSource();
        var work = workAsync(done.Token);
        var bounds = new List<DateTime>();
        for (var half = 0; half <= Measured / Half; half++)
        {
            bounds.Add((DateTime)(await stack.ScalarAsync(
                "UPDATE viral.recording SET stored = $1 RETURNING clock_timestamp()", half % 4 is 0 or 3))!);
            await Task.Delay(Half);
        }

        await done.CancelAsync();
        await work;
        await stack.ScalarAsync("UPDATE viral.recording SET stored = true");

        var ended = await EndedAsync(stack, table, bounds);
        var (stored, ratios) = (0.0, new List<double>());
        for (var half = 0; half + 1 < ended.Length; half += 2)
        {
            var (with, without) = half % 4 == 0 ? (ended[half], ended[half + 1]) : (ended[half + 1], ended[half]);
            // Between two batches there is nothing to compare.
            if (with == 0 || without == 0)
                continue;
            stored += with;
            ratios.Add(Math.Log(with / without));
        }

        // The median, because some halves lie between two batches; and the interval in which it lies 19 times in 20.
        var sorted = ratios.Order().ToList();
        var around = (int)Math.Ceiling(0.98 * Math.Sqrt(sorted.Count));
        double At(int place) => Math.Exp(sorted[Math.Clamp(place, 0, sorted.Count - 1)]);
        Report.Line(
            $"{what} with metrics stored", $"{stored / sorted.Count,7:0} {unit}/s",
            $"{At(sorted.Count / 2):0.000} ({At((sorted.Count / 2) - around):0.000} to "
            + $"{At((sorted.Count / 2) + around):0.000}) of what they are without, goal {Goal}, {sorted.Count} pairs");
    }

    /// <summary>How many ended in a second, between each time and the next.</summary>
    private static async Task<double[]> EndedAsync(BenchStack stack, string table, List<DateTime> bounds)
    {
        await using var connection = new NpgsqlConnection(stack.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"""
            SELECT width_bucket(completed_at, $1) - 1, count(*)
            FROM viral.{table}
            WHERE completed_at >= $2 AND completed_at < $3
            GROUP BY 1
            """,
            connection)
        {
            Parameters =
                { new() { Value = bounds.ToArray() }, new() { Value = bounds[0] }, new() { Value = bounds[^1] } },
            CommandTimeout = 120,
        };
        var ended = new double[bounds.Count - 1];
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var half = reader.GetInt32(0);
            ended[half] = reader.GetInt64(1) / (bounds[half + 1] - bounds[half]).TotalSeconds;
        }

        return ended;
    }
}
