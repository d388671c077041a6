using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

/// <summary>How long cancelling takes, by the server's own clock, beside how long it takes the same machine to begin a task.</summary>
internal static class CancelTimes
{
    /// <summary>Cancels tasks that would run for minutes, and fails unless half of them end within the second that is promised.</summary>
    public static async Task WithinASecondAsync(TestTenant tenant, ApiClient canceller, int tasks)
    {
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var ids = new List<string>();
        for (var i = 0; i < tasks; i++)
            ids.Add(await tenant.SubmitAsync(new { agent_id = agent, description = "one two three" }));
        foreach (var id in ids)
            await tenant.WaitForAsync(id, "in_progress");

        foreach (var id in ids)
            (await canceller.PostAsync($"/api/tasks/{id}/cancel")).Expect(HttpStatusCode.Accepted);
        var (cancels, starts) = (new List<TimeSpan>(), new List<TimeSpan>());
        foreach (var id in ids)
        {
            var task = (await tenant.WaitForAsync(id, "cancelled")).Json;
            Assert.Equal(JsonValueKind.Null, task.GetProperty("result").ValueKind);
            var history = (await tenant.Owner.GetAsync($"/api/tasks/{id}/history")).Json.GetProperty("events").EnumerateArray()
                .ToDictionary(e => e.GetProperty("type").GetString()!, e => e.GetProperty("created_at").GetDateTime());
            cancels.Add(history["task.cancelled"] - history["task.cancel_requested"]);
            starts.Add(history["task.started"] - history["task.created"]);
        }

        // A machine that takes its time to begin a task does so to end one.
        var control = starts.Order().ElementAt(tasks / 2);
        Assert.InRange(cancels.Order().ElementAt(tasks / 2), TimeSpan.Zero, TimeSpan.FromSeconds(1) + (5 * control));
    }
}
