using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

/// <summary>Whether cancelling keeps its second, which the app itself counts: by tasks that take one.</summary>
internal static class CancelTimes
{
    /// <summary>
    /// Cancels tasks that would run for minutes, and fails unless most of them end before a task of one second that was
    /// submitted after the cancellation was.
    /// </summary>
    public static async Task WithinASecondAsync(TestTenant tenant, ApiClient canceller, int tasks)
    {
        var endless = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var second = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 1000 });
        var ids = new List<string>();
        for (var i = 0; i < tasks; i++)
            ids.Add(await tenant.SubmitAsync(new { agent_id = endless, description = "one two three" }));
        foreach (var id in ids)
            await tenant.WaitForAsync(id, "in_progress");

        var pairs = new List<(string Cancelled, string Second)>();
        foreach (var id in ids)
        {
            (await canceller.PostAsync($"/api/tasks/{id}/cancel")).Expect(HttpStatusCode.Accepted);
            pairs.Add((id, await tenant.SubmitAsync(new { agent_id = second, description = "one" })));
        }

        var inTime = 0;
        foreach (var pair in pairs)
        {
            var task = (await tenant.WaitForAsync(pair.Cancelled, "cancelled")).Json;
            Assert.Equal(JsonValueKind.Null, task.GetProperty("result").ValueKind);
            await tenant.WaitForAsync(pair.Second, "completed");
            if (await TimeOfAsync(tenant, pair.Cancelled, "task.cancelled") < await TimeOfAsync(
                tenant, pair.Second, "task.completed"))
                inTime++;
        }

        Assert.True(inTime > tasks / 2, $"Of {tasks} cancelled tasks {inTime} ended before a task of one second.");
    }

    /// <summary>By the clock of the database.</summary>
    private static async Task<DateTime> TimeOfAsync(TestTenant tenant, string id, string type) =>
        (await tenant.Owner.GetAsync($"/api/tasks/{id}/history")).Json.GetProperty("events").EnumerateArray()
            .Single(e => e.GetProperty("type").GetString() == type).GetProperty("created_at").GetDateTime();
}
