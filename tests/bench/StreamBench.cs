using System.Globalization;
using System.Net;
using System.Text.Json;

namespace ViralEngine.Bench;

/// <summary>From the time a state change carries in the database to its event at a reader that was already there.</summary>
internal static class StreamBench
{
    private const int Tasks = 300;
    private const int AtOnce = 20;

    public static async Task RunAsync(BenchStack stack)
    {
        var delays = new List<double>();
        var left = Tasks;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            using var client = stack.App.NewClient(stack.ApiKey);
            while (Interlocked.Decrement(ref left) >= 0)
            {
                // A moment ahead, so that the reader is there when it starts.
                var start = DateTime.UtcNow.AddMilliseconds(300).ToString("O", CultureInfo.InvariantCulture);
                var id = (await client.PostAsync("/api/tasks", new { agent_id = "echo", description = "hello", scheduled_at = start }))
                    .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
                await foreach (var item in client.StreamAsync($"/api/tasks/{id}/stream"))
                {
                    var happened = JsonDocument.Parse(item.Data).RootElement.GetProperty("created_at").GetDateTime();
                    if (item.EventType != "task.created")
                        lock (delays)
                            delays.Add((DateTime.UtcNow - happened).TotalMilliseconds);
                }
            }
        }));

        delays.Sort();
        Report.Line(
            "state change to its server-sent event",
            $"p50 {Report.Percentile(delays, 0.5):0.0} ms   p99 {Report.Percentile(delays, 0.99):0.0} ms",
            $"p99 {Report.Percentile(delays, 0.99) / 50:0.00} of the limit of 50 ms ({delays.Count} events)");
    }
}
