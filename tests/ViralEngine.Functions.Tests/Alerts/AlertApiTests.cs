using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Alerts;

[Trait("Category", "BlackBox")]
public sealed class AlertApiTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task Creates_reads_replaces_lists_and_deletes_a_rule()
    {
        using var tenant = await api.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { });

        var created = (await tenant.Owner.PostAsync("/api/alert-rules", new
        {
            name = "Errors",
            metric = "error_rate",
            agent_id = agent,
            direction = "above",
            false_alarms_per_month = 0.1,
            least_volume = 20,
            quiet_from = "22:00",
            quiet_to = "06:30",
            time_zone = "Europe/Berlin",
            action = "pause_agent",
        })).Expect(HttpStatusCode.Created);
        var path = created.Header("Location")!;
        var replaced = (await tenant.Owner.PutAsync(
            path,
            new
            {
                name = "Slow",
                metric = "latency",
                mode = "static",
                direction = "above",
                bound_above = 2.5,
                enabled = false
            }))
            .Expect(HttpStatusCode.OK).Json;

        Assert.Equal(
            ("22:00", "06:30", "pause_agent"),
            (Text(created.Json, "quiet_from"), Text(created.Json, "quiet_to"), Text(created.Json, "action")));
        Assert.Equal(
            ("Slow", "static", 2.5),
            (Text(replaced, "name"), Text(replaced, "mode"), replaced.GetProperty("bound_above").GetDouble()));
        Assert.Equal(JsonValueKind.Null, replaced.GetProperty("action").ValueKind);
        Assert.Equal(
            replaced.ToString(), (await tenant.Owner.GetAsync(path)).Expect(HttpStatusCode.OK).Json.ToString());
        Assert.Equal(
            7, (await tenant.Owner.GetAsync("/api/alert-rules")).Json.GetProperty("alert_rules").GetArrayLength());
        (await tenant.Owner.DeleteAsync(path)).Expect(HttpStatusCode.NoContent);
        (await tenant.Owner.GetAsync(path)).ExpectProblem(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"name": "x", "metric": "latency", "mode": "static"}""", "bound_above")]
    [InlineData("""{"name": "x", "metric": "latency", "bound_above": 1}""", "mode")]
    [InlineData("""{"name": "x", "metric": "latency", "action": "pause_agent"}""", "action")]
    [InlineData("""{"name": "x", "metric": "latency", "agent_id": "echo", "action": "halve_concurrency"}""", "action")]
    [InlineData("""{"name": "x", "metric": "queue_age", "agent_id": "echo"}""", "agent_id")]
    [InlineData("""{"name": "x", "metric": "latency", "agent_id": "nobody"}""", "agent_id")]
    [InlineData("""{"name": "x", "metric": "latency", "quiet_from": "22:00"}""", "quiet_to")]
    [InlineData("""{"name": "x", "metric": "latency", "quiet_from": "22:00", "quiet_to": "25:00"}""", "quiet_to")]
    [InlineData("""{"name": "x", "metric": "latency", "time_zone": "Europe/Atlantis"}""", "time_zone")]
    public async Task Says_what_is_wrong_with_a_rule(string rule, string field)
    {
        using var tenant = await api.NewTenantAsync();

        var refused = await tenant.Owner.PostAsync("/api/alert-rules", JsonElement.Parse(rule));

        refused.ExpectProblem(HttpStatusCode.BadRequest);
        Assert.True(refused.Json.GetProperty("errors").TryGetProperty(field, out _), refused.Text);
    }

    [Fact]
    public async Task A_rule_sends_tasks_to_fallbacks_only_if_the_agent_has_some()
    {
        using var tenant = await api.NewTenantAsync();
        var alone = await CreateAsync(tenant, "/api/agents", new { name = "alone", kind = "echo" });

        var refused = await tenant.Owner.PostAsync(
            "/api/alert-rules", new { name = "x", metric = "latency", agent_id = alone, action = "use_fallback" });

        refused.ExpectProblem(HttpStatusCode.BadRequest);
        Assert.Contains("fallback_agent_ids", refused.Json.GetProperty("errors").GetProperty("action")[0].GetString());
    }

    [Fact]
    public async Task Metrics_tell_at_once_what_finished()
    {
        using var tenant = await api.NewTenantAsync();
        await tenant.WaitForAsync(
            await tenant.SubmitAsync(new { agent_id = "echo", description = "counted" }), "completed");

        var metrics = (await tenant.Owner.GetAsync("/api/metrics?step=minute&group_by=agent"))
            .Expect(HttpStatusCode.OK).Json;
        var summary = (await tenant.Owner.GetAsync("/api/metrics/summary")).Expect(HttpStatusCode.OK).Json;

        var series = Assert.Single(metrics.GetProperty("series").EnumerateArray());
        Assert.Equal("echo", Text(series, "group"));
        Assert.Equal(
            1, series.GetProperty("points").EnumerateArray().Sum(point => point.GetProperty("completed").GetInt32()));
        Assert.All(
            series.GetProperty("points").EnumerateArray(),
            point => Assert.True(
                point.GetProperty("time_to_first_token_p50").GetDouble()
                <= point.GetProperty("latency_p50").GetDouble() * 1.05));
        var hour = summary.GetProperty("last_hour");
        Assert.Equal((1, 0), (hour.GetProperty("finished").GetInt32(), hour.GetProperty("retried").GetInt32()));
        Assert.InRange(
            hour.GetProperty("time_to_first_token_p50").GetDouble(), 0,
            hour.GetProperty("latency_p50").GetDouble() * 1.05);
        var agent = Assert.Single(summary.GetProperty("agents").EnumerateArray());
        Assert.Equal("echo", Text(agent, "agent_id"));
        Assert.Equal(
            hour.GetProperty("latency_p99").GetDouble(),
            agent.GetProperty("last_day").GetProperty("latency_p99").GetDouble());
        Assert.Equal(JsonValueKind.Null, agent.GetProperty("last_day").GetProperty("queue_age_seconds").ValueKind);
        (await tenant.Owner.GetAsync("/api/metrics?step=minute&from=2030-01-01T00:00:00Z&to=2030-02-01T00:00:00Z"))
            .ExpectProblem(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task An_alert_of_the_timer_sends_the_agent_s_tasks_to_its_fallback_until_it_is_resolved()
    {
        using var tenant = await api.NewTenantAsync();
        var spare = await CreateAsync(tenant, "/api/agents", new { name = "spare", kind = "echo" });
        var bad = await CreateAsync(
            tenant, "/api/agents", new { name = "bad", kind = "echo", fallback_agent_ids = new[] { spare } });
        var rule = new
        {
            name = "too many",
            metric = "throughput",
            agent_id = bad,
            mode = "static",
            direction = "above",
            bound_above = 0.5,
            action = "use_fallback",
        };
        await CreateAsync(tenant, "/api/alert-rules", rule);
        Assert.Equal("bad", await AnsweredByAsync());

        var alerts = await Eventually.GetAsync(
            () => tenant.Owner.GetAsync("/api/alerts?status=open"),
            answer => answer.Json.GetProperty("alerts").GetArrayLength() > 0,
            "an alert of the minute that is over",
            TimeSpan.FromMinutes(4));
        var id = Text(alerts.Json.GetProperty("alerts")[0], "id");
        Assert.Equal("spare", await AnsweredByAsync());
        var resolved = (await tenant.Owner.PostAsync($"/api/alerts/{id}/resolve")).Expect(HttpStatusCode.OK).Json;

        Assert.Equal("resolved", Text(resolved, "status"));
        Assert.Equal("bad", await AnsweredByAsync());
        (await tenant.Owner.PostAsync($"/api/alerts/{id}/resolve")).ExpectProblem(HttpStatusCode.Conflict);
        var audited = (await tenant.Owner.GetAsync($"/api/audit-log?target_kind=agent&target_id={bad}"))
            .Expect(HttpStatusCode.OK).Json;
        Assert.Equal(
            ["agent.use_fallback_undone", "agent.use_fallback"],
            audited.GetProperty("entries").EnumerateArray().Select(entry => Text(entry, "action")).Where(
                action => action.Contains("fallback", StringComparison.Ordinal)));

        async Task<string> AnsweredByAsync()
        {
            var task = await tenant.SubmitAsync(new { agent_id = bad, description = "x" });
            return Text((await tenant.WaitForAsync(task, "completed")).Json, "answered_by");
        }
    }

    [Fact]
    public async Task The_first_acknowledgement_of_an_open_alert_stays_and_is_audited()
    {
        using var tenant = await api.NewTenantAsync();
        using var other = await api.NewTenantAsync();
        using var operators = await tenant.NewClientAsync("operator");
        using var viewer = await tenant.NewClientAsync("viewer");
        await CreateAsync(
            tenant, "/api/alert-rules",
            new { name = "silence", metric = "throughput", mode = "static", direction = "below", bound_below = 1 });
        var raised = (await Eventually.GetAsync(
            () => tenant.Owner.GetAsync("/api/alerts?status=open"),
            answer => answer.Json.GetProperty("alerts").GetArrayLength() > 0,
            "an alert of the minute that is over",
            TimeSpan.FromMinutes(4))).Json.GetProperty("alerts")[0];
        var path = $"/api/alerts/{Text(raised, "id")}";
        Assert.Equal(JsonValueKind.Null, raised.GetProperty("acknowledged_at").ValueKind);
        Assert.Equal(JsonValueKind.Null, raised.GetProperty("acknowledged_by").ValueKind);

        (await viewer.PostAsync($"{path}/acknowledge")).ExpectProblem(HttpStatusCode.Forbidden);
        (await other.Owner.PostAsync($"{path}/acknowledge")).ExpectProblem(HttpStatusCode.NotFound);
        var first = (await operators.PostAsync($"{path}/acknowledge")).Expect(HttpStatusCode.OK).Json;
        var entry = Assert.Single(await AuditedAsync());
        var second = (await tenant.Owner.PostAsync($"{path}/acknowledge")).Expect(HttpStatusCode.OK).Json;

        Assert.Equal("open", Text(first, "status"));
        Assert.StartsWith("api_key:", Text(first, "acknowledged_by"), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.String, first.GetProperty("acknowledged_at").ValueKind);
        Assert.Equal(Acknowledgement(first), Acknowledgement(second));
        Assert.Equal(
            ("alert.acknowledged", Text(first, "acknowledged_by")), (Text(entry, "action"), Text(entry, "actor")));
        var listed = (await tenant.Owner.GetAsync("/api/alerts")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(
            Acknowledgement(first), Acknowledgement(Assert.Single(listed.GetProperty("alerts").EnumerateArray())));

        var resolved = (await tenant.Owner.PostAsync($"{path}/resolve")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(Acknowledgement(first), Acknowledgement(resolved));
        var before = (await AuditedAsync()).Count;
        (await operators.PostAsync($"{path}/acknowledge")).ExpectProblem(HttpStatusCode.Conflict);
        Assert.Equal(before, (await AuditedAsync()).Count);

        Task<List<JsonElement>> AuditedAsync() =>
            tenant.Owner.ListAsync($"/api/audit-log?target_kind=alert&target_id={Text(raised, "id")}", "entries");

        static (string At, string By) Acknowledgement(JsonElement alert) =>
            (Text(alert, "acknowledged_at"), Text(alert, "acknowledged_by"));
    }

    private static async Task<string> CreateAsync(TestTenant tenant, string path, object body) =>
        Text((await tenant.Owner.PostAsync(path, body)).Expect(HttpStatusCode.Created).Json, "id");

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
