using System.Net;
using ViralEngine.Functions.Tests.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Approvals;

public sealed class QuorumUnderFireTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Fifty_decisions_of_ten_approvers_give_one_outcome_though_the_app_is_killed_in_between()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var approvers = new List<ApiClient>();
        for (var i = 0; i < 10; i++)
            approvers.Add(await tenant.NewPersonAsync("approver"));
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                new
                {
                    id = "ask", type = "approval", title = "Go on?", approvers = new { roles = new[] { "approver" } },
                    quorum = 2, reject_quorum = 2, on_reject = "continue",
                },
                WorkflowCalls.Echo("after", "{{ steps.ask.output.decision }}"),
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        var answers = new List<ApiResponse>();
        var deciding = Task.WhenAll(Enumerable.Range(0, 50).Select(async number =>
        {
            while (true)
            {
                try
                {
                    var answer = await approvers[number % 10].DecideAsync(
                        id, "ask", (number * 7 % 5) < 3 ? "approve" : "reject", $"number {number}");
                    lock (answers)
                        answers.Add(answer);
                    return;
                }
                catch (Exception e) when (e is HttpRequestException or IOException)
                {
                    await Task.Delay(50); // the app is down at this moment
                }
            }
        }));
        await app.KillAsync();
        await app.RestartAsync();
        await deciding;
        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Expect(HttpStatusCode.OK).Json;
        var decisions = gate.GetProperty("decisions").EnumerateArray().ToList();
        var told = (await tenant.Owner.EventsAsync(id)).Where(e => e.Type == "approval.decided").ToList();
        var outcome = gate.GetProperty("status").GetString();
        Assert.All(
            answers, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
        Assert.Equal(decisions.Count, decisions.Select(each => each.GetProperty("by").GetString()).Distinct().Count());
        Assert.Equal(2, decisions.Count(
            each => each.GetProperty("decision").GetString() == (outcome == "approved" ? "approve" : "reject")));
        Assert.InRange(decisions.Count, 2, 3);
        Assert.Equal(
            decisions.Select(each => each.GetProperty("by").GetString()).Order(),
            told.Select(e => e.Data.GetProperty("by").GetString()).Order());
        Assert.Equal(outcome, done.Step("after").GetProperty("output").GetString());
        Assert.Equal(1, (await tenant.Owner.EventsAsync(id)).Count(
            e => e.Type == "workflow.step_completed" && e.Data.GetProperty("step").GetString() == "ask"));
        approvers.ForEach(approver => approver.Dispose());
    }
}
