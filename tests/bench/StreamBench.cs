using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace ViralEngine.Bench;

/// <summary>
/// From the time a state change carries in the database to its event at a reader that was already there.
/// </summary>
internal static class StreamBench
{
    private const int Tasks = 300;
    private const int AtOnce = 20;

    public static async Task RunAsync(BenchStack stack)
    {
        await FollowAsync(stack); // warm-up
        var delays = await FollowAsync(stack);

        Report.Line(
            "state change to its server-sent event",
            $"p50 {Report.Percentile(delays, 0.5):0.0} ms   p99 {Report.Percentile(delays, 0.99):0.0} ms",
            $"p99 {Report.Percentile(delays, 0.99) / 50:0.00} of the limit of 50 ms ({delays.Count} events)");
    }

    /// <summary>The delay of each event, in milliseconds, the shortest first.</summary>
    private static async Task<List<double>> FollowAsync(BenchStack stack)
    {
        var delays = new List<double>();
        var left = Tasks;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            using var client = stack.NewPlainClient();
            while (Interlocked.Decrement(ref left) >= 0)
            {
                // A moment ahead, so that the reader is there when it starts.
                var start = DateTime.UtcNow.AddMilliseconds(300).ToString("O", CultureInfo.InvariantCulture);
                using var answer = await client.PostAsJsonAsync(
                    new Uri("/api/tasks", UriKind.Relative),
                    new { agent_id = "echo", description = "hello", scheduled_at = start });
                if (answer.StatusCode != HttpStatusCode.Created)
                    throw new InvalidOperationException($"POST /api/tasks answered {answer.StatusCode}.");
                var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();

                await using var stream = await client.GetStreamAsync(
                    new Uri($"/api/tasks/{id}/stream", UriKind.Relative));
                await foreach (var item in SseParser.Create(stream).EnumerateAsync())
                {
                    var now = DateTime.UtcNow;
                    var happened = JsonElement.Parse(item.Data).GetProperty("created_at").GetDateTime();
                    if (item.EventType != "task.created")
                        lock (delays)
                            delays.Add((now - happened).TotalMilliseconds);
                }
            }
        }));

        delays.Sort();
        return delays;
    }
}
