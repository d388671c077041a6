using System.Diagnostics;
using System.Net;
using System.Text;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>
/// A batch of the echo agent, from its first claim to its last commit, against pg-boss and a hand-written loop over as
/// many no-op jobs on the same server. Ours does more: it runs an agent and keeps what it answers.
/// </summary>
internal static class BatchBench
{
    private const int Items = 100_000;

    public static async Task RunAsync(BenchStack stack)
    {
        // The runtime compiles anew what is called often, for the seconds that this takes.
        for (var warmUp = 0; warmUp < 3; warmUp++)
            await RunBatchAsync(stack, Items);
        var raw = await RawLoop.RunAsync(Items);
        var (submitted, ours) = await RunBatchAsync(stack, Items);
        Report.Line("batch of 100,000 echo items, submission", $"{submitted,7:0} items/s");
        Report.Line(
            "batch of 100,000 echo items, execution", $"{ours,7:0} items/s",
            $"{ours / 8000:0.00} of the goal of 8,000/s");
        Report.Line(
            "  hand-written claim and complete loop", $"{raw,7:0} jobs/s", $"ours {ours / raw:0.00} of it (goal 0.25)");

        var (boss, settings) = await PgBoss.RunAsync(Items);
        Report.Line(
            "  pg-boss, each job settled by itself", $"{boss,7:0} jobs/s",
            $"ours {ours / boss:0.00} of it (goal 1)   {settings}");
    }

    public static async Task<(double Submitted, double Executed)> RunBatchAsync(BenchStack stack, int items)
    {
        using var client = stack.App.NewClient(stack.ApiKey);
        var lines = new StringBuilder();
        for (var i = 1; i <= items; i++)
            lines.Append("{\"description\":\"say item ").Append(i).Append(" back\"}\n");
        var body = Encoding.UTF8.GetBytes(lines.ToString());

        var began = Stopwatch.GetTimestamp();
        var id = (await client.SendBytesAsync(
            HttpMethod.Post, "/api/batches?name=bench&agent_id=echo", body, "application/x-ndjson"))
            .Expect(HttpStatusCode.Accepted).Json.GetProperty("id").GetString();
        var submission = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var batch = await Eventually.GetAsync(
            async () => (await client.GetAsync($"/api/batches/{id}")).Expect(HttpStatusCode.OK).Json,
            now => now.GetProperty("status").GetString() == "completed",
            "the batch to be completed",
            TimeSpan.FromMinutes(5));
        var time = batch.GetProperty("completed_at").GetDateTime() - batch.GetProperty("started_at").GetDateTime();
        if (batch.GetProperty("counts").GetProperty("completed").GetInt32() != items)
            throw new InvalidOperationException($"Not every item was completed: {batch}");
        return (items / submission, items / time.TotalSeconds);
    }
}
