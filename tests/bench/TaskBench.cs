using System.Diagnostics;
using System.Net;
using Npgsql;

namespace ViralEngine.Bench;

/// <summary>Tasks of the echo agent from the first submission over HTTP to the last completion in the database.</summary>
internal static class TaskBench
{
    private const int Tasks = 20_000;
    private const int WarmUp = 30_000;
    private const int Connections = 16;
    private const string Submission = """{"agent_id":"echo","description":"say this back to me"}""";

    public static async Task RunAsync(BenchStack stack)
    {
        // Warm-up: until the app is compiled for speed and the server knows how large its tables are.
        await SubmitAsync(stack, WarmUp);
        await CompletedAsync(stack, WarmUp);
        await AnalyzeAsync(stack);
        var before = await CountAsync(stack);

        var started = Stopwatch.GetTimestamp();
        await SubmitAsync(stack, Tasks);
        var submitted = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await CompletedAsync(stack, before + Tasks);
        var completed = Stopwatch.GetElapsedTime(started).TotalSeconds;

        Report.Line("echo tasks, submission to completion", $"{Tasks / completed,7:0} tasks/s", $"{Tasks / completed / 1000:0.00} of the goal of 1,000/s");
        Report.Line("  of which submitted within", $"{submitted:0.0} s of {completed:0.0} s");
    }

    /// <summary>Tasks a second, from the first submission to the last completion.</summary>
    public static async Task<double> MeasureAsync(BenchStack stack)
    {
        var before = await CountAsync(stack);
        var started = Stopwatch.GetTimestamp();
        await SubmitAsync(stack, Tasks);
        await CompletedAsync(stack, before + Tasks);
        return Tasks / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task SubmitAsync(BenchStack stack, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            using var client = stack.NewPlainClient();
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using var content = new StringContent(Submission, mediaType: new("application/json"));
                using var response = await client.PostAsync(new Uri("/api/tasks", UriKind.Relative), content);
                if (response.StatusCode != HttpStatusCode.Created)
                    throw new InvalidOperationException($"POST /api/tasks answered {response.StatusCode}.");
            }
        }));
    }

    private static async Task CompletedAsync(BenchStack stack, long count)
    {
        while (await CountAsync(stack) < count)
            await Task.Delay(20);
    }

    private static async Task AnalyzeAsync(BenchStack stack)
    {
        await using var connection = new NpgsqlConnection(stack.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("ANALYZE", connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> CountAsync(BenchStack stack)
    {
        await using var connection = new NpgsqlConnection(stack.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT count(*) FROM viral.tasks WHERE status = 'completed'", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
