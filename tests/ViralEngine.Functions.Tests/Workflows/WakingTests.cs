using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Workflows;

public sealed class WakingTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    /// <summary>
    /// The orchestration then gives its timer up, and must do so as an orchestration may: else its host fails it.
    /// </summary>
    [Fact]
    public async Task A_decision_wakes_a_workflow_that_waits_for_its_time_out_too()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var approver = await tenant.NewClientAsync("approver");
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                new
                {
                    id = "ask",
                    type = "approval",
                    title = "Go on?",
                    approvers = new { roles = new[] { "approver" } },
                    timeout_seconds = 600,
                },
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        (await approver.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);
        await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        Assert.DoesNotContain("is not durable", app.Output, StringComparison.Ordinal);
    }
}
