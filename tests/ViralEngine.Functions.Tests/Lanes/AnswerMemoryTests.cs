using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Tests.Batches;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Lanes;

/// <summary>Many long answers at a time, in a process that could not hold them all.</summary>
public sealed class AnswerMemoryTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private const int AnswerBytes = 8_000_000;

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json")]
    public async Task Long_answers_that_arrive_together_do_not_end_the_process(string contentType)
    {
        // In memory they would take 960 MB.
        const int Tasks = 24;
        const int Items = 36;
        await using var provider = await AllTogetherAsync(Tasks + Items, contentType);
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres)
            .With("DOTNET_GCHeapHardLimit", "20000000")
            .With("Agents:MaxAnswerMemoryBytes", "16777216"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await NewAgentAsync(tenant, provider.Url, contentType);

        var batch = await tenant.Owner.SubmitManyAsync(Items, agent, $"&concurrency_limit={Items}");
        var tasks = new List<string>();
        for (var i = 0; i < Tasks; i++)
            tasks.Add(await tenant.SubmitAsync(new { description = "long", agent_id = agent, max_attempts = 1 }));

        // Without their answers: the reader's memory is not what this is about.
        var ended = await Eventually.GetAsync(
            async () => (await tenant.Owner.GetAsync("/api/tasks?limit=100")).Expect(HttpStatusCode.OK).Json
                .GetProperty("tasks").EnumerateArray().ToList(),
            all => all.TrueForAll(task => task.GetProperty("completed_at").ValueKind == JsonValueKind.String),
            "all tasks to end",
            TimeSpan.FromMinutes(5));
        Assert.Equal(tasks.Count, ended.Count);
        Assert.All(ended, task => Assert.Equal(AnswerBytes, task.GetProperty("result_bytes").GetInt64()));
        Assert.All(ended, task => Assert.Equal(1, task.GetProperty("attempt").GetInt32()));
        Assert.Equal(Items, (await tenant.Owner.WaitForBatchAsync(batch, "completed")).Count("completed"));
        var result = await tenant.Owner.GetAsync($"/api/tasks/{tasks[0]}/result");
        Assert.Equal(Answer, result.Text);
    }

    [Fact]
    public async Task Calls_wait_without_an_attempt_while_memory_is_short()
    {
        var goOn = new TaskCompletionSource();
        await using var provider = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "text/plain";
            await http.Response.WriteAsync(new string('x', 60_000));
            await http.Response.Body.FlushAsync();
            await goOn.Task.WaitAsync(http.RequestAborted);
        });
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres).With("Agents:MaxAnswerMemoryBytes", "1048576"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await NewAgentAsync(tenant, provider.Url, "text/plain");
        var holding = await tenant.Owner.SubmitManyAsync(20, agent, "&concurrency_limit=20");

        var id = await WaitingTaskAsync(tenant);
        var waiting = await TaskAsync(tenant, id);
        goOn.SetResult();
        await tenant.WaitForAsync(id, "completed");
        var ended = await TaskAsync(tenant, id);

        Assert.Equal("memory", waiting.GetProperty("waiting_for").GetString());
        Assert.Equal(1, ended.GetProperty("attempt").GetInt32());
        Assert.Equal(20, (await tenant.Owner.WaitForBatchAsync(holding, "completed")).Count("completed"));
    }

    private static readonly string Answer = string.Concat(Enumerable.Repeat("0123456789abcdef", AnswerBytes / 16));

    /// <summary>Tasks are quick until the answers of the batch have arrived and fill the memory.</summary>
    private static async Task<string> WaitingTaskAsync(TestTenant tenant)
    {
        string? id = null;
        await Eventually.TrueAsync(
            async () =>
            {
                if (id is null || (await TaskAsync(tenant, id)).GetProperty("status").GetString() == "completed")
                    id = await tenant.SubmitAsync(new { description = "short", agent_id = "echo" });
                return (await TaskAsync(tenant, id)).GetProperty("waiting_for").GetString() == "memory";
            },
            "a task to wait for memory");
        return id!;
    }

    private static async Task<JsonElement> TaskAsync(TestTenant tenant, string id) =>
        (await tenant.Owner.GetAsync($"/api/tasks/{id}")).Expect(HttpStatusCode.OK).Json;

    /// <summary>No answer ends before all of them have arrived up to their last part.</summary>
    private static Task<LoopbackServer> AllTogetherAsync(int calls, string contentType)
    {
        var arrived = 0;
        var all = new TaskCompletionSource();
        var body = Encoding.UTF8.GetBytes(
            contentType == "text/plain" ? Answer : JsonSerializer.Serialize(new { text = Answer }));
        return LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = contentType;
            await http.Response.Body.WriteAsync(body.AsMemory(0, body.Length - 10_000));
            await http.Response.Body.FlushAsync();
            if (Interlocked.Increment(ref arrived) == calls)
                all.SetResult();
            await all.Task.WaitAsync(http.RequestAborted);
            await http.Response.Body.WriteAsync(body.AsMemory(body.Length - 10_000));
        });
    }

    private static Task<string> NewAgentAsync(TestTenant tenant, string url, string contentType) => tenant.NewHttpAsync(
        contentType == "text/plain"
            ? (object)new { url, idle_timeout_seconds = 300 }
            : new { url, text_path = "/text", idle_timeout_seconds = 300 });
}
