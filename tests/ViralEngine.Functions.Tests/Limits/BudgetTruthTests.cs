using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using ViralEngine.Functions.Tests.Agents;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Limits;

/// <summary>A budget under calls of all kinds; what they cost is known from the provider's side.</summary>
public sealed partial class BudgetTruthTests(RunningApp running) : IClassFixture<RunningApp>
{
    private const int Tasks = 90;
    private const decimal Budget = 20;

    /// <summary>What each kind of call costs, in USD; each reserves 1.</summary>
    private static readonly (string Kind, decimal Cost)[] Kinds =
    [
        ("less", 0.4m), ("exact", 1m), ("more", 1.5m), ("nothing", 0m), ("error", 0m), ("filtered", 0.3m),
        ("cut", 0.2m), ("cancelled", 0.25m), ("silent", 0.35m), ("lies", 1m),
    ];

    private readonly ConcurrentDictionary<int, string> called = new();
    private readonly ConcurrentQueue<(string Kind, decimal Cost)> calls = new();

    [Fact]
    public async Task What_is_spent_is_what_the_calls_cost_and_nothing_stays_reserved()
    {
        await using var model = await LoopbackServer.StartAsync(AnswerAsync);
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey, "free");
        var agent = await AgentAsync(tenant.Owner, model.Url);
        (await tenant.Owner.PutAsync($"/api/organizations/{tenant.Id}/budget", new { monthly_usd = Budget }))
            .Expect(HttpStatusCode.OK);

        var ids = new string[Tasks];
        await Parallel.ForEachAsync(Enumerable.Range(0, Tasks), async (i, _) => ids[i] = await tenant.SubmitAsync(
            new { agent_id = agent, description = $"task {i}" }));
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var i in called.Keys.Where(i => KindOf(i).Kind == "cancelled" && called[i] == "waits"))
                {
                    await tenant.Owner.PostAsync($"/api/tasks/{ids[i]}/cancel");
                    called[i] = "told";
                }

                var tasks = await tenant.Owner.ListAsync("/api/tasks", "tasks");
                return tasks.All(
                    task => task.GetProperty("status").GetString() is "completed" or "failed" or "cancelled");
            },
            "all tasks to end",
            TimeSpan.FromMinutes(4));

        var cost = calls.Sum(call => call.Cost);
        var most = Budget + (0.5m * calls.Count(call => call.Kind == "more"));
        var budget = (await tenant.Owner.GetAsync($"/api/organizations/{tenant.Id}/budget"))
            .Expect(HttpStatusCode.OK).Json;
        Assert.Equal(cost, budget.GetProperty("spent_usd").GetDecimal());
        Assert.Equal(0m, budget.GetProperty("reserved_usd").GetDecimal());
        // Only a call that costs more than it may takes more than there is.
        Assert.InRange(cost, Budget / 2, most);
        var spent = (await tenant.Owner.ListAsync("/api/tasks", "tasks")).Sum(CostOf);
        Assert.Equal(cost, spent);
    }

    private static decimal CostOf(JsonElement task) =>
        task.GetProperty("usage") is { ValueKind: JsonValueKind.Object } usage
            && usage.GetProperty("cost_usd") is { ValueKind: JsonValueKind.Number } cost
            ? cost.GetDecimal()
            : 0;

    private static (string Kind, decimal Cost) KindOf(int task) => Kinds[task % Kinds.Length];

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var task = int.Parse(
            TaskNumber().Match(await reader.ReadToEndAsync()).Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture);
        called[task] = "called";
        var (kind, cost) = KindOf(task);
        calls.Enqueue((kind, cost));
        var used = $$$"""data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":{{{(int)(cost * 100)}}}}}"""
            + "\n\n";
        switch (kind)
        {
            case "nothing":
                await SendAsync(
                    http, ProviderScenarios.Text("hi") + ProviderScenarios.End("stop") + "data: [DONE]\n\n");
                break;
            case "error":
                http.Response.StatusCode = 400;
                break;
            case "lies":
                await SendAsync(http, ProviderScenarios.Text("hi") + ProviderScenarios.End("stop")
                    + """data: {"choices":[],"usage":{"prompt_tokens":-1000000,"completion_tokens":5}}""" + "\n\n");
                break;
            case "filtered":
                await SendAsync(http, ProviderScenarios.Text("hi") + ProviderScenarios.End("content_filter") + used);
                break;
            case "cut":
                // Not by a reset: what has arrived and is not read is lost with that.
                await SendAsync(http, ProviderScenarios.Text("hi") + used);
                break;
            case "cancelled" or "silent":
                await SendAsync(http, ProviderScenarios.Text("hi") + used);
                called[task] = "waits";
                await ProviderScenarios.HangAsync(http);
                break;
            default:
                await SendAsync(
                    http, ProviderScenarios.Text("hi") + ProviderScenarios.End("stop") + used + "data: [DONE]\n\n");
                break;
        }
    }

    private static async Task SendAsync(HttpContext http, string events)
    {
        await ProviderScenarios.Stream(events)(http);
        await http.Response.Body.FlushAsync();
    }

    private static async Task<string> AgentAsync(ApiClient api, string url) =>
        (await api.PostAsync("/api/agents", new
        {
            name = "model",
            kind = "openai",
            api_key = "k",
            settings = new
            {
                base_url = url + "v1",
                model = "m",
                max_output_tokens = 100,
                // Long enough for a cancellation to come first.
                idle_timeout_seconds = 8,
                price = new { input_per_million = 0, output_per_million = 10_000 },
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    [GeneratedRegex("task ([0-9]+)")]
    private static partial Regex TaskNumber();
}
