using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Limits;

public sealed class BudgetTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task Of_200_parallel_tasks_a_budget_for_50_runs_50()
    {
        var calls = 0;
        await using var model = await LoopbackServer.StartAsync(http =>
        {
            Interlocked.Increment(ref calls);
            http.Response.ContentType = "text/event-stream";
            return http.Response.WriteAsync(
                """
                data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}

                data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":0,"completion_tokens":100,"total_tokens":100}}

                data: [DONE]

                """);
        });
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey, "free");
        var api = tenant.Owner;
        var agent = (await api.PostAsync("/api/agents", new
        {
            name = "model",
            kind = "openai",
            api_key = "k",
            settings = new
            {
                provider = "openai",
                base_url = model.Url + "v1",
                model = "m",
                max_output_tokens = 100,
                price = new { input_per_million = 0, output_per_million = 10_000 },
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        (await api.PutAsync($"/api/organizations/{tenant.Id}/budget", new { monthly_usd = 50 }))
            .Expect(HttpStatusCode.OK);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i => (await api.PostAsync(
            "/api/tasks", new { agent_id = agent, description = $"task {i}" })).Expect(HttpStatusCode.Created)));

        var ended = await Eventually.GetAsync(
            () => api.ListAsync("/api/tasks", "tasks"),
            tasks => tasks.All(task => task.GetProperty("status").GetString() is "completed" or "failed"),
            "all tasks to end",
            TimeSpan.FromMinutes(2));
        var failed = ended.Where(task => task.GetProperty("status").GetString() == "failed").ToList();
        Assert.Equal((50, 150, 50), (ended.Count - failed.Count, failed.Count, calls));
        Assert.All(
            failed, task => Assert.Contains("budget", task.GetProperty("error").GetProperty("message").GetString()));
        var usage = (await api.GetAsync($"/api/organizations/{tenant.Id}"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("usage");
        Assert.Equal(
            (50m, 0m, 50m, 200),
            (usage.GetProperty("spent_usd").GetDecimal(), usage.GetProperty("reserved_usd").GetDecimal(),
                usage.GetProperty("budget_usd").GetDecimal(), usage.GetProperty("tasks_this_month").GetInt32()));
    }
}
