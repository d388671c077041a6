using Npgsql;

namespace ViralEngine.Bench;

/// <summary>
/// What recording metrics costs: the same tasks with the triggers on and off in turns, so that the machine's moods fall
/// on both.
/// </summary>
internal static class RecordingBench
{
    private const int Rounds = 4;

    public static async Task RunAsync(BenchStack stack)
    {
        await TaskBench.MeasureAsync(stack);
        double on = 0, off = 0;
        for (var round = 0; round < Rounds; round++)
        {
            await SetAsync(stack, "DISABLE");
            off += await TaskBench.MeasureAsync(stack) / Rounds;
            await SetAsync(stack, "ENABLE");
            on += await TaskBench.MeasureAsync(stack) / Rounds;
        }

        Report.Line("echo tasks with metrics recorded", $"{on,7:0} tasks/s", $"{on / off:0.000} of what they are without ({off:0})");
    }

    private static async Task SetAsync(BenchStack stack, string state)
    {
        await using var connection = new NpgsqlConnection(stack.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"ALTER TABLE viral.events {state} TRIGGER record_task_metrics", connection);
        await command.ExecuteNonQueryAsync();
    }
}
