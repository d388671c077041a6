using System.Net;
using ViralEngine.Testing;
using static ViralEngine.Functions.Tests.Workflows.WorkflowCalls;

namespace ViralEngine.Functions.Tests.Workflows;

[Trait("Category", "BlackBox")]
public sealed class WorkflowApiTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact, Trait("Category", "Smoke")]
    public async Task A_task_waits_for_approval_and_another_follows()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        var id = await tenant.StartAsync(new
        {
            name = "greet",
            input = new { name = "Ada" },
            steps = new object[]
            {
                Echo("draft", "Dear {{ input.name }}"),
                new
                {
                    id = "check", type = "approval", title = "Send “{{ steps.draft.output }}”?",
                    approvers = new { roles = new[] { "approver" } }
                },
                Echo("send", "{{ steps.draft.output | upcase }}, {{ steps.check.output.decision }}"),
            },
        });

        var waiting = await tenant.Owner.WaitForWorkflowAsync(id, "waiting");
        var inbox = (await approver.GetAsync("/api/approvals")).Expect(HttpStatusCode.OK).Json.GetProperty("approvals");
        (await approver.DecideAsync(id, "check", "approve", "fine")).Expect(HttpStatusCode.OK);
        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        Assert.Equal("waiting", waiting.StatusOf("check"));
        Assert.Equal("Send “Dear Ada”?", inbox[0].GetProperty("title").GetString());
        Assert.Equal("DEAR ADA, approved", done.Step("send").GetProperty("output").GetString());
        Assert.Equal(0, (await approver.GetAsync("/api/approvals")).Json.GetProperty("approvals").GetArrayLength());
        Assert.Equal(
            [
                "workflow.created", "workflow.started", "workflow.step_started", "workflow.step_completed",
                "workflow.step_started", "approval.requested", "workflow.waiting", "approval.decided",
                "workflow.step_completed", "workflow.step_started", "workflow.step_completed", "workflow.completed",
            ],
            (await tenant.Owner.EventsAsync(id)).Select(happened => happened.Type));
    }
}
