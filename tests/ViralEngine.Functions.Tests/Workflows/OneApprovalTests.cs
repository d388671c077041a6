using System.Net;
using ViralEngine.Testing;
using static ViralEngine.Functions.Tests.Workflows.WorkflowCalls;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>What stands behind a gate runs once for a decision, whichever way somebody has it run again.</summary>
[Trait("Category", "BlackBox")]
public sealed class OneApprovalTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task A_completed_workflow_is_not_run_again()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.StartAsync(new { steps = new[] { Echo("pay", "pay") } });
        await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        var refused = (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/pay")).ExpectProblem(
            HttpStatusCode.Conflict);

        Assert.EndsWith("workflow-not-retryable", refused.Type);
    }

    [Fact]
    public async Task A_call_behind_a_gate_that_is_made_again_is_asked_for_again()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                Echo("draft", "one"),
                new
                {
                    id = "route", type = "choice",
                    conditions =
                        new object[] { new { type = "boolean", value = "true", steps = new object[] { Ask("ask") } } },
                },
                Echo("book", "two"),
                new { id = "pay", type = "task", agent_id = broken, description = "three" },
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");
        (await approver.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);
        var before = await tenant.Owner.WaitForWorkflowAsync(id, "failed");

        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/pay")).Expect(HttpStatusCode.Accepted);
        var waiting = await tenant.Owner.WaitForWorkflowAsync(id, "waiting");
        (await approver.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);
        var after = await tenant.Owner.WaitForWorkflowAsync(id, "failed");

        Assert.Equal("waiting", waiting.StatusOf("ask"));
        Assert.DoesNotContain(
            waiting.GetProperty("steps").EnumerateArray(), step => step.GetProperty("id").GetString() == "pay");
        Assert.Equal(TaskOf(before, "book"), TaskOf(after, "book"));
        Assert.NotEqual(TaskOf(before, "pay"), TaskOf(after, "pay"));
        Assert.Equal(
            (1, 2),
            (after.Step("draft").GetProperty("run").GetInt32(), after.Step("ask").GetProperty("run").GetInt32()));
    }

    [Fact]
    public async Task A_call_that_no_gate_stands_before_is_not_asked_for()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                new
                {
                    id = "both", type = "parallel", failure_mode = "fail_fast",
                    branches = new object[]
                    {
                        new { steps = new object[] { Ask("ask") } },
                        new
                        {
                            steps = new object[]
                            {
                                Ask("other"), new { id = "pay", type = "task", agent_id = broken, description = "x" }
                            }
                        },
                    },
                },
            },
        });
        foreach (var gate in new[] { "ask", "other" })
        {
            await tenant.Owner.WaitForGateAsync(id, gate);
            (await approver.DecideAsync(id, gate, "approve")).Expect(HttpStatusCode.OK);
        }

        await tenant.Owner.WaitForWorkflowAsync(id, "failed");
        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/pay")).Expect(HttpStatusCode.Accepted);
        var waiting = await tenant.Owner.WaitForWorkflowAsync(id, "waiting");

        Assert.Equal(("completed", "waiting"), (waiting.StatusOf("ask"), waiting.StatusOf("other")));
    }

    [Fact]
    public async Task The_task_of_a_step_is_run_again_by_its_workflow_alone()
    {
        using var tenant = await api.NewTenantAsync();
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var id = await tenant.StartAsync(
            new { steps = new object[] { new { id = "pay", type = "task", agent_id = broken, description = "x" } } });
        var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");

        var refused = (await tenant.Owner.PostAsync($"/api/tasks/{TaskOf(failed, "pay")}/retry")).ExpectProblem(
            HttpStatusCode.Conflict);

        Assert.EndsWith("task-of-workflow", refused.Type);
    }

    private static string? TaskOf(System.Text.Json.JsonElement workflow, string step) =>
        workflow.Step(step).GetProperty("task_id").GetString();

    private static object Ask(string id) =>
        new { id, type = "approval", title = "Pay?", approvers = new { roles = new[] { "approver" } } };
}
