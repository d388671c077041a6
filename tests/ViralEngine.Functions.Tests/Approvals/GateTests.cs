using System.Net;
using System.Text.Json;
using ViralEngine.Functions.Tests.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Approvals;

/// <summary>When a decision counts, and what happens when there is none.</summary>
[Trait("Category", "BlackBox")]
public sealed class GateTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task A_decision_before_the_gate_is_open_is_refused_and_one_after_its_end_too()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        using var late = await tenant.NewClientAsync("approver");
        var id = await tenant.StartAsync(new
        {
            steps = new object[] { new { id = "pause", type = "delay", seconds = 2 }, Gate("ask") },
        });

        var early = (await approver.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Conflict);
        var nowhere = (await approver.DecideAsync(id, "pause", "approve")).ExpectProblem(HttpStatusCode.NotFound);
        await tenant.Owner.WaitForGateAsync(id, "ask");
        (await approver.DecideAsync(id, "ask", "approve", "yes")).Expect(HttpStatusCode.OK);
        var again = (await approver.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);
        var other = (await approver.DecideAsync(id, "ask", "reject")).ExpectProblem(HttpStatusCode.Conflict);
        var after = (await late.DecideAsync(id, "ask", "reject")).ExpectProblem(HttpStatusCode.Conflict);

        Assert.EndsWith("gate-not-open", early.Type);
        Assert.EndsWith("not-found", nowhere.Type);
        Assert.EndsWith("already-decided", other.Type);
        Assert.EndsWith("gate-closed", after.Type);
        Assert.Equal("yes", again.Json.GetProperty("decisions")[0].GetProperty("reason").GetString());
        Assert.Equal(1, again.Json.GetProperty("decisions").GetArrayLength());
        await tenant.Owner.WaitForWorkflowAsync(id, "completed");
    }

    [Theory]
    [InlineData("reject", "failed", "rejected")]
    [InlineData("approve", "completed", "approved")]
    public async Task A_gate_that_runs_out_ends_as_it_says_and_later_decisions_are_refused(
        string onTimeout, string status, string outcome)
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        var id = await tenant.StartAsync(new
        {
            steps =
                new object[] { Gate("ask", new { timeout_seconds = 3, on_timeout = onTimeout, reminder_seconds = 1 }) },
        });

        await tenant.Owner.WaitForWorkflowAsync(id, status);
        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Expect(HttpStatusCode.OK).Json;
        (await approver.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Conflict);
        var events = await tenant.Owner.EventsAsync(id);

        Assert.Equal(outcome, gate.GetProperty("status").GetString());
        Assert.True(gate.GetProperty("timed_out").GetBoolean());
        Assert.Contains(events, e => e.Type == "approval.reminder");
        Assert.Single(events, e => e.Type == "approval.expired");
    }

    [Fact]
    public async Task Decisions_at_the_moment_of_the_time_out_fall_on_one_side_of_it()
    {
        using var tenant = await api.NewTenantAsync();
        var approvers = new List<ApiClient>();
        for (var i = 0; i < 4; i++)
            approvers.Add(await tenant.NewPersonAsync("approver"));
        var id = await tenant.StartAsync(new
        {
            steps = new object[] { Gate("ask", new { timeout_seconds = 2, on_timeout = "reject", quorum = 4 }) },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");
        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json;
        var expires = gate.GetProperty("expires_at").GetDateTime();

        // Each aims at the very moment, some just before and some just after.
        var answers = await Task.WhenAll(approvers.Select(async (approver, index) =>
        {
            var wait = expires - DateTime.UtcNow + TimeSpan.FromMilliseconds(20 * (index - 2));
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
            return await approver.DecideAsync(id, "ask", "approve");
        }));
        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed", "failed");
        gate = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json;

        var taken = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        Assert.All(
            answers, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
        Assert.Equal(taken, gate.GetProperty("decisions").GetArrayLength());
        Assert.All(
            gate.GetProperty("decisions").EnumerateArray(),
            each => Assert.True(each.GetProperty("decided_at").GetDateTime() < expires));
        Assert.Equal(taken == 4 ? "completed" : "failed", done.GetProperty("status").GetString());
        approvers.ForEach(approver => approver.Dispose());
    }

    [Fact]
    public async Task Nobody_decides_in_time_and_the_gate_asks_others()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        using var admin = await tenant.NewClientAsync("admin");
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                Gate("ask", new
                {
                    timeout_seconds = 1, on_timeout = "escalate",
                    escalation = new { roles = new[] { "admin" }, timeout_seconds = 600, on_timeout = "reject" },
                }),
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");
        (await admin.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Forbidden);

        await Eventually.GetAsync(
            () => admin.GetAsync("/api/approvals"), list => list.Json.GetProperty("approvals").GetArrayLength() == 1,
            "the gate to escalate");
        (await approver.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Forbidden);
        (await admin.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);

        await tenant.Owner.WaitForWorkflowAsync(id, "completed");
        Assert.Contains(await tenant.Owner.EventsAsync(id), e => e.Type == "approval.escalated");
    }

    [Fact]
    public async Task Who_started_the_workflow_may_not_decide_where_the_gate_says_so()
    {
        using var tenant = await api.NewTenantAsync();
        using var other = await tenant.NewPersonAsync("owner");
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                Gate("ask", new { exclude_requester = true, approvers = new { roles = new[] { "owner" } } })
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        (await tenant.Owner.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Forbidden);
        Assert.Equal(0, (await tenant.Owner.GetAsync("/api/approvals")).Json.GetProperty("approvals").GetArrayLength());
        (await other.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);

        await tenant.Owner.WaitForWorkflowAsync(id, "completed");
    }

    [Fact]
    public async Task A_rejection_may_be_something_to_go_on_with()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                Gate("ask", new { on_reject = "continue" }),
                WorkflowCalls.Echo("say", "{{ steps.ask.output.decision }}")
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        (await approver.DecideAsync(id, "ask", "reject", "no")).Expect(HttpStatusCode.OK);

        Assert.Equal(
            "rejected",
            (await tenant.Owner.WaitForWorkflowAsync(id, "completed")).Step("say").GetProperty("output").GetString());
    }

    [Fact]
    public async Task A_link_decides_once_when_its_button_is_pressed_and_not_when_it_is_looked_at()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        using var operation = await tenant.NewClientAsync("operator");
        using var anybody = api.NewClient();
        var id = await tenant.StartAsync(new { name = "Pay <b>Bob</b>", steps = new object[] { Gate("ask") } });
        await tenant.Owner.WaitForGateAsync(id, "ask");
        (await operation.PostAsync($"/api/workflows/{id}/gates/ask/links", new { decision = "approve" })).ExpectProblem(
            HttpStatusCode.BadRequest);

        var url = (await approver.PostAsync($"/api/workflows/{id}/gates/ask/links", new { decision = "approve" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("url").GetString()!;
        var path = new Uri(url).AbsolutePath;
        var page = (await anybody.GetAsync(path)).Expect(HttpStatusCode.OK);
        var before = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json.GetProperty("status")
            .GetString();
        var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["reason"] = "from my phone" });
        (await anybody.PostAsync(path, form)).Expect(HttpStatusCode.OK);
        (await anybody.PostAsync(path)).Expect(HttpStatusCode.Gone);
        (await anybody.GetAsync(path)).Expect(HttpStatusCode.Gone);
        (await anybody.GetAsync(path[..^1] + (path[^1] == 'A' ? 'Q' : 'A'))).Expect(HttpStatusCode.NotFound);

        Assert.Contains("Pay &lt;b&gt;Bob&lt;/b&gt;", page.Text);
        Assert.Contains("frame-ancestors 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
        Assert.Contains("approve", page.Text);
        Assert.Equal("open", before);
        await tenant.Owner.WaitForWorkflowAsync(id, "completed");
        var decision = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json.GetProperty("decisions")[0];
        Assert.Equal(
            ("link", "from my phone"),
            (decision.GetProperty("via").GetString(), decision.GetProperty("reason").GetString()));
        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json.GetProperty("id").GetString();
        var log = (await tenant.Owner.GetAsync("/api/audit-log?action=approval.decided")).Expect(HttpStatusCode.OK);
        var entry = Assert.Single(log.Json.GetProperty("entries").EnumerateArray());
        Assert.Equal(
            ("link", gate), (entry.GetProperty("credential").GetString(), entry.GetProperty("target_id").GetString()));
        Assert.DoesNotContain(path.Split('/')[^1], log.Text);
    }

    [Fact]
    public async Task Another_tenant_finds_nothing()
    {
        using var tenant = await api.NewTenantAsync();
        using var stranger = await api.NewTenantAsync();
        var id = await tenant.StartAsync(
            new { steps = new object[] { Gate("ask", new { approvers = new { roles = new[] { "owner" } } }) } });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        foreach (var path in new[] { "", "/visualize", "/stream", "/gates/ask" })
            (await stranger.Owner.GetAsync($"/api/workflows/{id}{path}")).ExpectProblem(HttpStatusCode.NotFound);
        foreach (var path in new[] { "/cancel", "/retry-from-step/ask" })
            (await stranger.Owner.PostAsync($"/api/workflows/{id}{path}")).ExpectProblem(HttpStatusCode.NotFound);
        (await stranger.Owner.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.NotFound);
        (await stranger.Owner.PostAsync($"/api/workflows/{id}/gates/ask/links", new { decision = "approve" }))
            .ExpectProblem(HttpStatusCode.NotFound);
        Assert.Equal(
            0, (await stranger.Owner.GetAsync("/api/approvals")).Json.GetProperty("approvals").GetArrayLength());
    }

    /// <summary>A gate for approvers, with further settings.</summary>
    private static JsonElement Gate(string id, object? more = null)
    {
        var gate = new Dictionary<string, object?>
        {
            ["id"] = id,
            ["type"] = "approval",
            ["title"] = "Go on?",
            ["approvers"] = new { roles = new[] { "approver" } },
        };
        foreach (var property in JsonSerializer.SerializeToElement(more ?? new { }).EnumerateObject())
            gate[property.Name] = property.Value;
        return JsonSerializer.SerializeToElement(gate);
    }
}
