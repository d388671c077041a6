using System.Net;
using ViralEngine.Testing;
using static ViralEngine.Functions.Tests.Workflows.WorkflowCalls;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>A workflow whose fourth step fails for good undoes three, two and one.</summary>
[Trait("Category", "BlackBox")]
public sealed class RollbackTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    internal static readonly string[] Reversed = ["three", "two", "one"];

    [Fact]
    public async Task Rollbacks_run_in_reverse_order_once_each()
    {
        using var tenant = await app.NewTenantAsync();
        var id = await tenant.StartAsync(await FailingAsync(tenant, undoing: "echo"));

        var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");
        var events = await tenant.Owner.EventsAsync(id);

        Assert.Equal("four", failed.GetProperty("error").GetProperty("step").GetString());
        Assert.Equal("undo one: result of one", failed.Step("one", "rollback").GetProperty("output").GetString());
        AssertRollbacks(events);
        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/four")).ExpectProblem(
            HttpStatusCode.Conflict);
    }

    internal static async Task<object> FailingAsync(TestTenant tenant, string undoing)
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
                Step("one"), Step("two"), Step(
                    "three"), new { id = "four", type = "task", agent_id = broken, description = "x" },
                Step("five"),
            },
        };
    }

    internal static void AssertRollbacks(List<(string Type, System.Text.Json.JsonElement Data)> events)
    {
        string[] Of(string type) =>
        [
            .. events.Where(e => e.Type == type).Select(e => e.Data.GetProperty("step").GetString()!)
        ];

        Assert.Equal(Reversed, Of("workflow.rollback_started"));
        Assert.Equal(Reversed, Of("workflow.rollback_completed"));
        Assert.Equal("workflow.failed", events[^1].Type);
        Assert.Equal("workflow.rolled_back", events[^2].Type);
        Assert.DoesNotContain("five", Of("workflow.step_started"));
    }
}
