using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;
using ViralEngine.Testing.Traffic;

namespace ViralEngine.Core.Tests.Alerts;

public sealed class DetectAnomaliesTests(TestPostgres postgres) : IClassFixture<TestPostgres>, IAsyncLifetime
{
    private static readonly DateTime Noon = new(2031, 5, 5, 12, 0, 0, DateTimeKind.Utc);
    private readonly TenantId tenant = new(Guid.CreateVersion7());
    private readonly FakeTimeProvider time = new(Noon);
    private readonly string agent = Guid.CreateVersion7().ToString();

    public async Task InitializeAsync()
    {
        // Each test has the watch to itself: the fixture's database is shared by the tests of this class.
        await SweepAsync("DELETE FROM viral.organizations");
        await SweepAsync("DELETE FROM viral.metric_rollups");
        await SweepAsync("DELETE FROM viral.series_states");
        await SweepAsync("DELETE FROM viral.alerts");
        await SweepAsync("DELETE FROM viral.tasks");
        await SweepAsync("INSERT INTO viral.organizations (id, name) VALUES ($1, 'o')", tenant.Value);
        await SweepAsync("UPDATE viral.metric_progress SET until = $1 WHERE name = 'minute'", Noon);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_new_organization_is_watched_by_a_rule_for_each_metric()
    {
        await using var db = postgres.NewDb();

        var rules = await new AlertRuleStore(db).ListAsync(tenant, null, 100, default);

        Assert.Equal(Enum.GetValues<AlertMetric>().Order(), rules.Select(rule => rule.Metric).Order());
        Assert.All(rules, rule => Assert.Equal((true, null, null), (rule.Enabled, rule.Action, rule.AgentId)));
    }

    [Fact]
    public async Task A_provider_that_goes_bad_is_found_acted_upon_and_comes_back_by_itself()
    {
        var rule = await AddRuleAsync(AlertMode.Anomaly, action: AlertAction.PauseAgent);
        await LearnAsync(rule);

        await PlayAsync(minutes: 3, completed: 60, failed: 0);
        Assert.Empty(await AlertsAsync());
        await PlayAsync(minutes: 5, completed: 5, failed: 55);

        var alert = Assert.Single(await AlertsAsync());
        var series = Assert.Single(alert.Series);
        Assert.Equal((AlertStatus.Open, AlertMetric.ErrorRate, agent), (alert.Status, series.Metric, series.AgentId));
        Assert.InRange(series.OpenedAt, Noon.AddMinutes(3), Noon.AddMinutes(8));
        Assert.True(series.Actual > series.High);
        Assert.Contains("error rate", alert.Summary, StringComparison.Ordinal);
        Assert.Equal(["pause_agent"], await RestraintsAsync());
        await PlayAsync(minutes: 90, completed: 0, failed: 0);

        var resolved = Assert.Single(await AlertsAsync());
        Assert.Equal((AlertStatus.Resolved, "recovery"), (resolved.Status, resolved.ResolvedBy));
        Assert.Empty(await RestraintsAsync());
        Assert.Equal(["agent.pause_agent", "agent.pause_agent_undone"], await AuditedAsync());
        var events = await EventsAsync(alert.Id);
        Assert.Equal(("alert.opened", "alert.resolved"), (events[0], events[^1]));
        // As the window fills with failures, it gets worse.
        Assert.All(events.Skip(1).SkipLast(1), type => Assert.Equal("alert.updated", type));
    }

    [Fact]
    public async Task Two_instances_at_once_judge_each_minute_once_and_raise_an_alert_once()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5);
        await AddMinutesAsync(minutes: 20, completed: 0, failed: 10);
        time.SetUtcNow(Noon.AddMinutes(21));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var db = postgres.NewDb();
            await Detection(db).RunAsync(default);
        }));
        await using var last = postgres.NewDb();
        await Detection(last).RunAsync(default);

        var alert = Assert.Single(await AlertsAsync());
        Assert.Equal(Noon.AddMinutes(1), alert.OpenedAt);
        Assert.Equal(["alert.opened"], await EventsAsync(alert.Id));
        Assert.Equal(Noon.AddMinutes(20), await ProgressAsync());
    }

    [Fact]
    public async Task What_an_instance_did_not_commit_is_done_by_the_next_from_the_same_minute()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5);
        await AddMinutesAsync(minutes: 2, completed: 0, failed: 10);
        time.SetUtcNow(Noon.AddMinutes(3));
        await using (var dying = postgres.NewDb())
        {
            await dying.BeginAsync(default);
            await Detection(dying).JudgeNextAsync(default);
            await dying.RollbackAsync();
        }

        Assert.Empty(await AlertsAsync());
        await using var db = postgres.NewDb();
        await Detection(db).RunAsync(default);

        Assert.Equal(Noon.AddMinutes(1), Assert.Single(await AlertsAsync()).OpenedAt);
    }

    [Fact]
    public async Task Series_that_go_wrong_together_are_one_incident()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5);
        await AddRuleAsync(AlertMode.Static, AlertMetric.Failures, boundAbove: 5);

        await PlayAsync(minutes: 3, completed: 0, failed: 10);

        var alert = Assert.Single(await AlertsAsync());
        Assert.Equal(
            [AlertMetric.ErrorRate, AlertMetric.Failures], alert.Series.Select(series => series.Metric).Order());
        Assert.Equal(["alert.opened", "alert.updated"], await EventsAsync(alert.Id));
    }

    [Fact]
    public async Task A_series_that_gets_twice_as_bad_is_told_again_and_not_every_minute()
    {
        await OpenByFailuresAsync();

        // Worse, but less than twice.
        await PlayAsync(minutes: 1, completed: 0, failed: 30);
        var soon = Assert.Single(await AlertsAsync());
        Assert.Equal(["alert.opened"], await EventsAsync(soon.Id));
        Assert.Contains("was 19 per minute", soon.Summary, StringComparison.Ordinal);
        Assert.Equal(30, Assert.Single(soon.Series).Actual);
        await PlayAsync(minutes: 1, completed: 0, failed: 100);
        var worse = Assert.Single(await AlertsAsync());
        await PlayAsync(minutes: 2, completed: 0, failed: 100);

        Assert.Contains("was 100 per minute", worse.Summary, StringComparison.Ordinal);
        Assert.Equal(soon.UpdatedAt.AddMinutes(2), worse.UpdatedAt);
        Assert.Equal((worse.Summary, worse.UpdatedAt), Told(Assert.Single(await AlertsAsync())));
        Assert.Equal(["alert.opened", "alert.updated"], await EventsAsync(worse.Id));

        static (string, DateTime) Told(Alert alert) => (alert.Summary, alert.UpdatedAt);
    }

    [Fact]
    public async Task A_muted_alert_that_gets_worse_tells_nobody()
    {
        await OpenByFailuresAsync();
        var opened = Assert.Single(await AlertsAsync());
        await using var db = postgres.NewDb();
        await new AlertStore(db, new AlertCourse(db, new AuditStore(db)), time)
            .MuteAsync(tenant, opened.Id, Noon.AddDays(1), default);

        await PlayAsync(minutes: 1, completed: 0, failed: 100);

        var worse = Assert.Single(await AlertsAsync());
        Assert.Equal((opened.Summary, 100), (worse.Summary, Assert.Single(worse.Series).Actual));
        Assert.Equal(["alert.opened"], await EventsAsync(worse.Id));
    }

    [Fact]
    public async Task A_muted_alert_says_nothing_but_its_end_and_one_resolved_by_hand_undoes_what_was_done()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5, action: AlertAction.UseFallback);
        await PlayAsync(minutes: 2, completed: 0, failed: 10);
        var id = Assert.Single(await AlertsAsync()).Id;
        Assert.Equal(["use_fallback"], await RestraintsAsync());
        await using var db = postgres.NewDb();
        var store = new AlertStore(db, new AlertCourse(db, new AuditStore(db)), time);

        await store.MuteAsync(tenant, id, Noon.AddHours(1), default);
        await AddRuleAsync(AlertMode.Static, AlertMetric.Failures, boundAbove: 5);
        await PlayAsync(minutes: 2, completed: 0, failed: 10);
        Assert.Equal(["alert.opened"], await EventsAsync(id));
        Assert.True(await store.ResolveAsync(tenant, id, "user:ops", Noon.AddMinutes(5), default));
        Assert.False(await store.ResolveAsync(tenant, id, "user:ops", Noon.AddMinutes(5), default));

        Assert.Empty(await RestraintsAsync());
        Assert.Equal(["alert.opened", "alert.resolved"], await EventsAsync(id));
    }

    [Fact]
    public async Task One_that_halves_its_agent_s_calls_is_audited_with_the_number_and_undone_by_recovery()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5, action: AlertAction.HalveConcurrency);
        // Ninety calls of four seconds a minute are six at a time.
        await SweepAsync(
            """
            INSERT INTO viral.metric_rollups (
                tenant_id, step, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_count, latency_log_sum)
            VALUES ($1, 'minute', $2, $3, 'openai', 'm', 90, 0, 0, 0, 0, 0, ARRAY[viral.latency_bucket(4), 90], 90, 0)
            """,
            tenant.Value, Noon.AddMinutes(-10), agent);

        await PlayAsync(minutes: 2, completed: 0, failed: 10);
        Assert.Equal(
            ["3"], await TextsAsync("SELECT max_concurrency::text FROM viral.agent_restraints WHERE tenant_id = $1"));
        await PlayAsync(minutes: 12, completed: 10, failed: 0);

        Assert.Equal(AlertStatus.Resolved, Assert.Single(await AlertsAsync()).Status);
        Assert.Empty(await RestraintsAsync());
        Assert.Equal(["agent.halve_concurrency", "agent.halve_concurrency_undone"], await AuditedAsync());
    }

    [Fact]
    public async Task An_alert_that_is_read_shows_the_minutes_around_it()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5);
        await PlayAsync(minutes: 2, completed: 10, failed: 0);
        await PlayAsync(minutes: 3, completed: 4, failed: 12);
        time.SetUtcNow(Noon.AddMinutes(8));
        await using var db = postgres.NewDb();
        var store = new AlertStore(db, new AlertCourse(db, new AuditStore(db)), time);

        var series = Assert.Single(
            (await store.FindAsync(tenant, Assert.Single(await AlertsAsync()).Id, default))!.Series);

        var points = series.Points!.Where(point => point.At >= Noon.AddMinutes(-1)).ToArray();
        Assert.Equal([null, 0, 0, 0.75, 0.75, 0.75, null], points.Select(point => point.Value));
        Assert.Equal(series.OpenedAt.AddHours(-1), series.Points![0].At);
    }

    [Fact]
    public async Task An_open_alert_is_work_for_detection_until_it_is_resolved_and_none_for_lanes()
    {
        await AddRuleAsync(AlertMode.Static, boundAbove: 0.5);
        await using var db = postgres.NewDb();
        var work = new OpenWork(db);

        var before = await work.AnyAlertAsync(default);
        await PlayAsync(minutes: 2, completed: 0, failed: 10);
        var open = await work.AnyAlertAsync(default);
        var lanes = await work.AnyAsync(default);
        // Nothing is done any more.
        await PlayAsync(minutes: 12, completed: 0, failed: 0);
        var after = await work.AnyAlertAsync(default);

        Assert.Equal((false, true, false), (before, open, after));
        Assert.False(lanes);
        Assert.Equal("recovery", Assert.Single(await AlertsAsync()).ResolvedBy);
    }

    [Fact]
    public async Task Of_minutes_whose_queues_were_not_measured_nothing_is_learned_or_concluded()
    {
        await using var db = postgres.NewDb();
        await new AlertRuleStore(db).AddAsync(
            tenant, Guid.CreateVersion7(),
            Draft(AlertMode.Static, AlertMetric.QueueAge, 30, null) with { AgentId = null }, "test", default);
        await SweepAsync(
            """
            INSERT INTO viral.tasks (
                tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by,
                created_at, updated_at, due_at, ready)
            VALUES ($1, $2, 'pending', 'echo', 'x', 5, '{}', 60, 3, 'test', $3, $3, $3, true)
            """,
            tenant.Value, Guid.CreateVersion7(), Noon.AddMinutes(-1));
        await PlayAsync(minutes: 2, completed: 0, failed: 0);
        var learned = Assert.Single(await QueueStatesAsync());

        // Minutes that are caught up after an outage.
        time.SetUtcNow(Noon.AddHours(2));
        await Detection(db).RunAsync(default);
        var open = Assert.Single(await AlertsAsync());
        var kept = Assert.Single(await QueueStatesAsync());
        await SweepAsync("DELETE FROM viral.tasks");
        await PlayAsync(minutes: 12, completed: 0, failed: 0);

        Assert.Equal((AlertStatus.Open, learned), (open.Status, kept));
        Assert.Equal(AlertStatus.Resolved, Assert.Single(await AlertsAsync()).Status);
        Assert.NotEqual(learned, Assert.Single(await QueueStatesAsync()));

        Task<List<string>> QueueStatesAsync() =>
            TextsAsync("SELECT md5(state) FROM viral.series_states WHERE tenant_id = $1 AND metric = 'queue_age'");
    }

    [Fact]
    public async Task In_quiet_hours_no_alert_is_opened()
    {
        await AddRuleAsync(
            AlertMode.Static, boundAbove: 0.5, quiet: (new TimeOnly(13, 0), new TimeOnly(15, 0)),
            zone: "Europe/Berlin");

        // Noon in UTC is two o'clock in Berlin's summer.
        await PlayAsync(minutes: 2, completed: 0, failed: 10);
        Assert.Empty(await AlertsAsync());
        time.SetUtcNow(Noon.AddMinutes(59));
        await PlayAsync(minutes: 2, completed: 0, failed: 10, at: Noon.AddMinutes(60));

        Assert.Single(await AlertsAsync());
    }

    [Fact]
    public async Task A_dry_run_tells_the_alerts_a_rule_would_have_raised_and_stores_nothing()
    {
        await AddMinutesAsync(minutes: 10, completed: 10, failed: 0);
        await AddMinutesAsync(minutes: 5, completed: 0, failed: 10, at: Noon.AddMinutes(10));
        await AddMinutesAsync(minutes: 20, completed: 10, failed: 0, at: Noon.AddMinutes(15));
        await using var db = postgres.NewDb();
        await new MetricRollup(db, time).FoldAsync(Noon.AddHours(1), default);

        var alerts = await new PreviewRule(db).RunAsync(
            tenant, Draft(AlertMode.Static, AlertMetric.ErrorRate, 0.5, null), Noon, Noon.AddMinutes(35), default);

        var alert = Assert.Single(alerts);
        Assert.Equal((Noon.AddMinutes(11), Noon.AddMinutes(25)), (alert.OpenedAt, alert.ResolvedAt));
        Assert.Empty(await AlertsAsync());
    }

    /// <summary>Two weeks of what is usual, learnt at once.</summary>
    private async Task LearnAsync(AlertRule rule)
    {
        var detector = new SeriesDetector(SeriesKind.Rate);
        var noise = new Noise(2);
        for (var at = Noon.AddDays(-14); at < Noon; at = at.AddMinutes(1))
            detector.Observe(new(Observation.MinuteOf(at), noise.Binomial(60, 0.01), 60));
        await SweepAsync(
            "INSERT INTO viral.series_states (tenant_id, metric, agent_id, mode, state) "
            + "VALUES ($1, 'error_rate', $2, 'anomaly', $3)",
            tenant.Value, rule.AgentId!, detector.Write());
    }

    /// <summary>
    /// An alert of a score of 3: after minutes whose failures have a mean of 10 and a deviation of 1, three deviations
    /// above are the limit, and nine were seen.
    /// </summary>
    private async Task OpenByFailuresAsync()
    {
        const int Learned = 110;
        await AddRuleAsync(AlertMode.Simple, AlertMetric.Failures);
        for (var minute = 0; minute < Learned; minute++)
            await AddMinutesAsync(1, completed: 0, failed: minute % 2 == 0 ? 9 : 11, Noon.AddMinutes(minute));
        await PlayAsync(minutes: 1, completed: 0, failed: 19, Noon.AddMinutes(Learned));
        Assert.Equal(3, Assert.Single(Assert.Single(await AlertsAsync()).Series).Score, 3);
    }

    /// <summary>Minutes pass, each judged as it ends.</summary>
    private async Task PlayAsync(int minutes, int completed, int failed, DateTime? at = null)
    {
        var from = at ?? await ProgressAsync();
        await AddMinutesAsync(minutes, completed, failed, from);
        for (var minute = 1; minute <= minutes; minute++)
        {
            time.SetUtcNow(from.AddMinutes(minute).AddSeconds(10));
            await using var db = postgres.NewDb();
            await Detection(db).RunAsync(default);
        }
    }

    private async Task AddMinutesAsync(int minutes, int completed, int failed, DateTime? at = null)
    {
        if (completed + failed == 0)
            return;
        await SweepAsync(
            """
            INSERT INTO viral.metric_points (
                tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_log_sum)
            SELECT $1, $2::timestamptz + minute * interval '1 minute', $3, 'openai', 'm', $5, $6, 0, 0, 0, 0, '{}', 0
            FROM generate_series(0, $4 - 1) AS minute
            """,
            tenant.Value, at ?? Noon, agent, minutes, completed, failed);
    }

    private async Task<AlertRule> AddRuleAsync(
        AlertMode mode,
        AlertMetric metric = AlertMetric.ErrorRate,
        double? boundAbove = null,
        AlertAction? action = null,
        (TimeOnly From, TimeOnly To)? quiet = null,
        string zone = "UTC")
    {
        await using var db = postgres.NewDb();
        var draft = Draft(
            mode, metric, boundAbove, action) with
        { QuietFrom = quiet?.From, QuietTo = quiet?.To, TimeZone = zone };
        return (await new AlertRuleStore(db).AddAsync(tenant, Guid.CreateVersion7(), draft, "test", default))!;
    }

    private AlertRuleDraft Draft(AlertMode mode, AlertMetric metric, double? boundAbove, AlertAction? action) => new(
        "rule", metric, agent, mode, AlertDirection.Above, 0.5, 0, boundAbove, null, null, null, "UTC", action, true);

    private DetectAnomalies Detection(Db db) =>
        new(db, new MetricRollup(db, time), new AuditStore(db), time, NullLogger<DetectAnomalies>.Instance);

    private async Task<List<Alert>> AlertsAsync()
    {
        await using var db = postgres.NewDb();
        return await new AlertStore(db, new AlertCourse(db, new AuditStore(db)), time).ListAsync(
            tenant, null, null, 100, default);
    }

    private async Task<List<string>> RestraintsAsync() =>
        await TextsAsync("SELECT action FROM viral.agent_restraints WHERE tenant_id = $1 ORDER BY 1");

    private async Task<List<string>> AuditedAsync() =>
        await TextsAsync("SELECT action FROM viral.audit_log WHERE tenant_id = $1 AND credential = 'rule' ORDER BY id");

    private async Task<List<string>> EventsAsync(Guid alert)
    {
        await using var db = postgres.NewDb();
        return await db.QueryAsync(
            tenant,
            "SELECT type FROM viral.events WHERE tenant_id = $1 AND subject_id = $2 ORDER BY number",
            [tenant.Value, alert],
            row => row.GetString(0),
            default);
    }

    private async Task<List<string>> TextsAsync(string sql)
    {
        await using var db = postgres.NewDb();
        return await db.QueryAsync(tenant, sql, [tenant.Value], row => row.GetString(0), default);
    }

    private async Task<DateTime> ProgressAsync()
    {
        await using var db = postgres.NewDb();
        return await db.QueryOneAsync(
            DbScope.AllTenants, "SELECT until FROM viral.metric_progress WHERE name = 'minute'", [],
            row => row.GetDateTime(0), default);
    }

    private async Task SweepAsync(string sql, params object[] args)
    {
        await using var db = postgres.NewDb();
        await db.ExecuteAsync(DbScope.AllTenants, sql, args, default);
    }
}
