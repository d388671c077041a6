using System.Net;
using ViralEngine.Testing;
using static ViralEngine.Functions.Tests.Workflows.WorkflowCalls;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>A workflow whose fourth step fails for good undoes three, two and one.</summary>
public sealed class RollbackTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly string[] Reversed = ["three", "two", "one"];

    [Fact]
    public async Task Rollbacks_run_in_reverse_order_once_each()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var id = await tenant.StartAsync(await FailingAsync(tenant, undoing: "echo"));

        var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");
        var events = await tenant.Owner.EventsAsync(id);

        Assert.Equal("four", failed.GetProperty("error").GetProperty("step").GetString());
        Assert.Equal("undo one: result of one", failed.Step("one", "rollback").GetProperty("output").GetString());
        AssertRollbacks(events);
        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/four")).ExpectProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Rollbacks_run_in_reverse_order_once_each_though_the_app_is_killed_in_between()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 150 });
        var id = await tenant.StartAsync(await FailingAsync(tenant, slow));

        foreach (var step in Reversed)
        {
            await Eventually.GetAsync(
                () => tenant.Owner.GetAsync($"/api/workflows/{id}"),
                answer => answer.Json.GetProperty("steps").EnumerateArray().Any(run =>
                    run.GetProperty("id").GetString() == step && run.GetProperty("kind").GetString() == "rollback"),
                $"the rollback of {step} to begin");
            await app.KillAsync();
            await app.RestartAsync();
        }

        await tenant.Owner.WaitForWorkflowAsync(id, "failed");
        var events = await tenant.Owner.EventsAsync(id);
        var tasks = (await tenant.Owner.GetAsync("/api/tasks?tag=workflow&limit=100")).Json.GetProperty("tasks").EnumerateArray()
            .Count(task => task.GetProperty("metadata").GetProperty("kind").GetString() == "rollback");

        AssertRollbacks(events);
        Assert.Equal(3, tasks);
    }

    private static async Task<object> FailingAsync(TestTenant tenant, string undoing)
    {
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        object Step(string id) => Echo(id, $"result of {id}", new
        {
            type = "task",
            agent_id = undoing,
            description = $"undo {id}: {{{{ steps.{id}.output }}}}",
        });
        return new
        {
            steps = new object[]
            {
                Step("one"), Step("two"), Step("three"), new { id = "four", type = "task", agent_id = broken, description = "x" },
                Step("five"),
            },
        };
    }

    private static void AssertRollbacks(List<(string Type, System.Text.Json.JsonElement Data)> events)
    {
        string[] Of(string type) => [.. events.Where(e => e.Type == type).Select(e => e.Data.GetProperty("step").GetString()!)];

        Assert.Equal(Reversed, Of("workflow.rollback_started"));
        Assert.Equal(Reversed, Of("workflow.rollback_completed"));
        Assert.Equal("workflow.failed", events[^1].Type);
        Assert.Equal("workflow.rolled_back", events[^2].Type);
        Assert.DoesNotContain("five", Of("workflow.step_started"));
    }
}
