using System.Net;
using System.Text.Json;
using ViralEngine.Functions.Tests.Batches;
using ViralEngine.Functions.Tests.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Agents;

/// <summary>
/// What a provider does, seen at the end of each way that leads to it: a task, an item of a batch, a step of a
/// workflow.
/// </summary>
public sealed class ProviderTroubleTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private static readonly string[] Ways = ["task", "item", "step"];

    public static TheoryData<string> Scenarios => [.. ProviderScenarios.All.Keys];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Tasks_items_and_steps_see_that_the_provider(string scenario)
    {
        var expected = ProviderScenarios.All[scenario];
        await using var provider = await LoopbackServer.StartAsync(expected.Answer);
        using var tenant = await app.NewTenantAsync();
        var agent = await AgentAsync(
            tenant.Owner, provider.Url, idleSeconds: scenario.StartsWith("falls", StringComparison.Ordinal) ? 1 : 60);

        var outcomes = await Task.WhenAll(TaskAsync(tenant, agent), ItemAsync(tenant, agent), StepAsync(tenant, agent));

        foreach (var (way, outcome) in Ways.Zip(outcomes))
        {
            Assert.Equal((way, expected.Class), (way, outcome.Class));
            Assert.Contains(expected.Says, outcome.Says);
            if (way != "step")
                Assert.Equal(
                    (way, expected.FinishReason, Tokens(expected.Tokens)), (way, outcome.FinishReason, outcome.Tokens));
        }
    }

    [Fact]
    public async Task An_agent_may_refuse_an_answer_that_a_limit_cut_and_its_fallback_is_asked()
    {
        await using var provider = await LoopbackServer.StartAsync(
            ProviderScenarios.All["is cut at a limit of tokens"].Answer);
        using var tenant = await app.NewTenantAsync();
        var alone = await AgentAsync(tenant.Owner, provider.Url, onTruncated: "fail");
        var echo = await tenant.NewEchoAsync(new { });
        var backed = await AgentAsync(tenant.Owner, provider.Url, onTruncated: "fail", fallbacks: [echo]);

        var failed = await TaskAsync(tenant, alone);
        var answered = await TaskAsync(tenant, backed);

        Assert.Equal("truncated", failed.Class);
        Assert.Contains("ended the answer at its token limit", failed.Says);
        Assert.Equal((null, "do it"), (answered.Class, answered.Says));
    }

    [Fact]
    public async Task Events_and_exports_say_why_an_answer_ended()
    {
        await using var provider = await LoopbackServer.StartAsync(
            ProviderScenarios.All["is cut at a limit of tokens"].Answer);
        await using var receiver = await WebhookReceiver.StartAsync();
        using var tenant = await app.NewTenantAsync();
        (await tenant.Owner.PostAsync(
            "/api/webhooks", new { url = receiver.Url, event_types = new[] { "task.completed" } }))
            .Expect(HttpStatusCode.Created);
        var agent = await AgentAsync(tenant.Owner, provider.Url);
        var batch = await tenant.Owner.SubmitBatchAsync(new
        {
            name = "b",
            agent_id = agent,
            items = new[] { new { description = "do it", metadata = new { order = 7 } } },
        });

        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "do it" });
        await tenant.WaitForAsync(task, "completed");
        await tenant.Owner.WaitForBatchAsync(batch, "completed");

        var csv = (await tenant.Owner.GetAsync($"/api/batches/{batch}/results?format=csv"))
            .Expect(HttpStatusCode.OK).Text.Split("\r\n");
        Assert.EndsWith(",finish_reason,metadata", csv[0]);
        Assert.Matches(""",length,"{ ?""order"": ?7 ?}"$""", csv[1]);
        var history = (await tenant.Owner.GetAsync($"/api/tasks/{task}/history")).Expect(HttpStatusCode.OK).Text;
        Assert.Contains("\"finish_reason\":\"length\"", history);
        var webhook = await Eventually.GetAsync(
            () => Task.FromResult(receiver.Received is [var first, ..] ? first : null),
            received => received is not null, "a webhook to come");
        Assert.Equal("length", webhook!.Data.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task What_every_attempt_used_is_the_task_s_and_the_month_s()
    {
        var calls = 0;
        await using var provider = await LoopbackServer.StartAsync(http => ProviderScenarios.All[
            Interlocked.Increment(ref calls) == 1 ? "ends without an end" : "answers"].Answer(http));
        using var tenant = await app.NewTenantAsync();
        var agent = await AgentAsync(tenant.Owner, provider.Url);

        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "do it", max_attempts = 2 });
        var usage = (await tenant.WaitForAsync(task, "completed")).Json.GetProperty("usage");

        Assert.Equal(
            (14, 10), (usage.GetProperty("input_tokens").GetInt32(), usage.GetProperty("output_tokens").GetInt32()));
        Assert.Equal(0.24m, usage.GetProperty("cost_usd").GetDecimal());
        var budget = (await tenant.Owner.GetAsync($"/api/organizations/{tenant.Id}/budget"))
            .Expect(HttpStatusCode.OK).Json;
        Assert.Equal(0.24m, budget.GetProperty("spent_usd").GetDecimal());
    }

    /// <summary>A token costs a cent.</summary>
    private static async Task<string> AgentAsync(
        ApiClient api, string url, int idleSeconds = 60, string onTruncated = "complete", string[]? fallbacks = null) =>
        (await api.PostAsync("/api/agents", new
        {
            name = $"model-{Guid.NewGuid():n}",
            kind = "openai",
            api_key = "k",
            settings = new
            {
                base_url = url + "v1",
                model = "m",
                max_output_tokens = 100,
                idle_timeout_seconds = idleSeconds,
                on_truncated = onTruncated,
                price = new { input_per_million = 10_000, output_per_million = 10_000 },
            },
            fallback_agent_ids = fallbacks ?? [],
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    private static async Task<Outcome> TaskAsync(TestTenant tenant, string agent)
    {
        var id = await tenant.SubmitAsync(new { agent_id = agent, description = "do it", max_attempts = 1 });
        return Read((await Eventually.GetAsync(
            () => tenant.Owner.GetAsync($"/api/tasks/{id}"),
            answer => answer.Json.GetProperty("status").GetString() is "completed" or "failed",
            "the task to end")).Json, "result");
    }

    private static async Task<Outcome> ItemAsync(TestTenant tenant, string agent)
    {
        var id = await tenant.Owner.SubmitBatchAsync(
            new { name = "b", agent_id = agent, items = new[] { new { description = "do it", max_attempts = 1 } } });
        await tenant.Owner.WaitForBatchAsync(id, "completed");
        return Read(Assert.Single(await tenant.Owner.ResultsAsync(id)), "result");
    }

    private static async Task<Outcome> StepAsync(TestTenant tenant, string agent)
    {
        var id = await tenant.StartAsync(new
        {
            name = "w",
            definition = new
            {
                steps = new[]
                {
                    new { id = "s", type = "task", agent_id = agent, description = "do it", max_attempts = 1 }
                },
            },
        });
        var workflow = await tenant.Owner.WaitForWorkflowAsync(id, "completed", "failed");
        return Read(workflow.Step("s"), "output");
    }

    private static Outcome Read(JsonElement ended, string result)
    {
        var error = ended.GetProperty("error");
        var failed = error.ValueKind == JsonValueKind.Object;
        var usage = ended.TryGetProperty("usage", out var used) && used.ValueKind == JsonValueKind.Object
            ? $"{used.GetProperty("input_tokens")}+{used.GetProperty("output_tokens")}"
            : null;
        return new Outcome(
            failed ? error.GetProperty("class").GetString() : null,
            failed ? error.GetProperty("message").GetString()! : ended.GetProperty(result).ToString(),
            ended.TryGetProperty("finish_reason", out var reason) ? reason.GetString() : null,
            usage);
    }

    // A frame of 100 and 5 bytes of description in, and all that it may answer out.
    private static string? Tokens(string? tokens) => tokens == "estimate" ? "105+100" : tokens;

    private sealed record Outcome(string? Class, string Says, string? FinishReason, string? Tokens);
}
