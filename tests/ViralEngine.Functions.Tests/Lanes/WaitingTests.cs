using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Tests.Batches;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Lanes;

/// <summary>
/// What waits for something else than itself: no attempt is counted, and everybody sees what it waits for.
/// </summary>
public sealed class WaitingTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Work_waits_while_its_provider_is_away_and_none_of_it_fails()
    {
        var away = true;
        await using var provider = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = away ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            return away ? Task.CompletedTask : http.Response.WriteAsync("here again");
        });
        // Open for longer than it takes to look: each probe that fails is an attempt, and three of one item would end
        // it.
        var settings = new AppSettings(postgres).With("Breakers:MinimumCalls", "4").With("Breakers:BreakSeconds", "15");
        await using var app = await AppProcess.StartAsync(settings);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await NewAgentAsync(tenant, "away", provider.Url, "key");

        var batch = await tenant.Owner.SubmitManyAsync(300, agent, "&concurrency_limit=50");
        await tenant.Owner.WaitForBatchAsync(batch, WaitsForProvider, "the batch to wait for its provider");
        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "x" });
        var waiting = await Eventually.GetAsync(
            async () => (await tenant.Owner.GetAsync($"/api/tasks/{task}")).Expect(HttpStatusCode.OK).Json,
            WaitsForProvider,
            "the task to wait for its provider");
        var flow = (await tenant.Owner.GetAsync($"/api/agents/{agent}/flow")).Expect(HttpStatusCode.OK).Json;
        away = false;
        var ended = await tenant.Owner.WaitForBatchAsync(batch, "completed");
        await tenant.WaitForAsync(task, "completed");

        Assert.Equal(0, waiting.GetProperty("failed_attempts").GetInt32());
        Assert.Equal("provider", flow.GetProperty("held_back_by").GetString());
        Assert.Equal((300, 0), (ended.Count("completed"), ended.Count("failed")));
        Assert.Null(ended.GetProperty("waiting_for").GetString());
    }

    [Fact]
    public async Task A_key_that_is_to_wait_does_not_hold_back_another_key_at_the_same_host()
    {
        await using var provider = await LoopbackServer.StartAsync(http =>
        {
            if (http.Request.Headers.Authorization.ToString().EndsWith("spent", StringComparison.Ordinal))
            {
                http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                http.Response.Headers.RetryAfter = "300";
                return Task.CompletedTask;
            }

            return http.Response.WriteAsync("fine");
        });
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var spent = await NewAgentAsync(tenant, "spent", provider.Url, "spent");
        var other = await NewAgentAsync(tenant, "other", provider.Url, "full");

        var first = await tenant.SubmitAsync(new { agent_id = spent, description = "x" });
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.GetAsync($"/api/tasks/{first}")).Json.GetProperty("failed_attempts")
                .GetInt32() == 1,
            "the provider to ask to be left alone");
        var second = await tenant.SubmitAsync(new { agent_id = spent, description = "x" });
        await Eventually.TrueAsync(
            async () => WaitsForProvider((await tenant.Owner.GetAsync($"/api/tasks/{second}")).Json),
            "the second to wait uncalled");
        var third = await tenant.SubmitAsync(new { agent_id = other, description = "x" });

        await tenant.WaitForAsync(third, "completed");
        var held = (await tenant.Owner.GetAsync($"/api/tasks/{second}")).Json;
        Assert.Equal((0, 0), (held.GetProperty("attempt").GetInt32(), held.GetProperty("failed_attempts").GetInt32()));
    }

    [Fact]
    public async Task Another_tenants_task_runs_while_one_holds_all_the_places_it_may()
    {
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres).With("Lanes:CallsPerInstance", "20"));
        using var busy = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var other = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var endless = await busy.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });

        for (var i = 0; i < 40; i++)
            await busy.SubmitAsync(new { agent_id = endless, description = "one two" });
        var batch = await busy.Owner.SubmitManyAsync(40, endless, "&concurrency_limit=40");
        await Eventually.TrueAsync(async () => await RunningAsync(busy) >= 16, "the busy tenant to have all it may");
        var task = await other.SubmitAsync(new { agent_id = "echo", description = "quick" });
        await other.WaitForAsync(task, "completed");

        Assert.Equal(16, await RunningAsync(busy)); // four fifths of twenty, tasks and items together
        await busy.Owner.PostAsync($"/api/batches/{batch}/cancel");
    }

    [Fact]
    public async Task A_batch_runs_as_many_calls_at_a_time_as_it_asks_for()
    {
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var endless = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });

        var batch = await tenant.Owner.SubmitManyAsync(900, endless, "&concurrency_limit=700");

        var running = await tenant.Owner.WaitForBatchAsync(
            batch, seen => seen.Count("in_progress") >= 700, "700 calls to run");
        Assert.Equal((700, 200), (running.Count("in_progress"), running.Count("pending")));
        await tenant.Owner.PostAsync($"/api/batches/{batch}/cancel");
        var ended = await tenant.Owner.WaitForBatchAsync(batch, "cancelled");
        Assert.Equal(900, ended.Count("cancelled"));
    }

    private static bool WaitsForProvider(System.Text.Json.JsonElement work) =>
        work.GetProperty("waiting_for").GetString() == "provider";

    private static async Task<int> RunningAsync(TestTenant tenant) =>
        (await tenant.Owner.GetAsync($"/api/organizations/{tenant.Id}")).Expect(HttpStatusCode.OK).Json
            .GetProperty("usage").GetProperty("tasks_running").GetInt32();

    private static async Task<string> NewAgentAsync(TestTenant tenant, string name, string url, string key) =>
        (await tenant.Owner.PostAsync(
            "/api/agents", new { name, kind = "http", settings = new { url }, api_key = key }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
}
