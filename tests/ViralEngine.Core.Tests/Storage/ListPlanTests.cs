using ViralEngine.Core.Audit;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Storage;

/// <summary>
/// A filter that finds little reads little: counted in the rows that PostgreSQL fetched, whatever time it took and however many there
/// are.
/// </summary>
public sealed class ListPlanTests(TestPostgres postgres) : IClassFixture<TestPostgres>, IAsyncLifetime
{
    private const int Rows = 30_000;
    private const int FewRows = 400;
    private static readonly DateTime Now = DateTime.UtcNow;
    private readonly TenantId tenant = new(Guid.CreateVersion7());

    public static TheoryData<string> Filters =>
        ["none", "tag", "rare tag", "agent", "rare agent", "failed", "pending", "cancelled", "in_progress", "hour ago", "tag and status"];

    public async Task InitializeAsync()
    {
        await using var admin = new Npgsql.NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var fill = new Npgsql.NpgsqlCommand(
            """
            INSERT INTO viral.tasks (
                tenant_id, id, status, agent_id, description, priority, tags, timeout_seconds, max_attempts, created_by, created_at,
                updated_at, due_at, check_at, completed_at, result)
            SELECT $1,
                   (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                       || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
                   'completed', CASE WHEN n = 1 THEN 'rare' ELSE 'echo' END, 'x', 5,
                   CASE WHEN n = 1 THEN ARRAY['rare', 'common'] ELSE ARRAY['common'] END, 300, 3, 'test', at, at, at, at, at, 'x'
            FROM (SELECT n, $2::timestamptz - n * interval '1 second' - interval '2 hours' AS at FROM generate_series(1, $3) AS n) AS made
            """,
            admin)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = Now }, new() { Value = Rows } },
        };
        await fill.ExecuteNonQueryAsync();
        await using var log = new Npgsql.NpgsqlCommand(
            """
            INSERT INTO viral.audit_log (tenant_id, id, at, actor, credential, action, target_kind, target_id, request_id)
            SELECT $1, gen_random_uuid(), now(), 'user:1', 'token', 'webhook.changed', 'webhook', 'w', 'r'
            FROM generate_series(1, $2)
            """,
            admin)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = Rows } },
        };
        await log.ExecuteNonQueryAsync();
        await using var analyze = new Npgsql.NpgsqlCommand("ANALYZE viral.tasks, viral.task_tags, viral.audit_log", admin);
        await analyze.ExecuteNonQueryAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_list_of_tasks_fetches_few_rows(string name)
    {
        var hourAgo = Now.AddHours(-1);
        var (filter, expected) = name switch
        {
            "tag" => (Filter(tag: "nothere"), 0),
            "rare tag" => (Filter(tag: "rare"), 1),
            "tag and status" => (Filter(tag: "rare", status: AgentTaskStatus.Failed), 0),
            "agent" => (Filter(agent: "nobody"), 0),
            "rare agent" => (Filter(agent: "rare"), 1),
            "failed" => (Filter(status: AgentTaskStatus.Failed), 0),
            "pending" => (Filter(status: AgentTaskStatus.Pending), 0),
            "cancelled" => (Filter(status: AgentTaskStatus.Cancelled), 0),
            "in_progress" => (Filter(status: AgentTaskStatus.InProgress), 0),
            "hour ago" => (new TaskFilter(null, null, null, hourAgo, hourAgo.AddSeconds(1)), 0),
            _ => (Filter(), 20),
        };
        await using var db = postgres.NewDb();
        await db.BeginAsync(default);

        var list = await new TaskStore(db, null!).ListAsync(tenant, filter, null, 20, default);

        Assert.Equal(expected, list.Tasks.Count);
        Assert.InRange(await FetchedAsync(db), 0, FewRows);
    }

    [Theory]
    [InlineData("user:nobody", null, null, null)]
    [InlineData(null, "agent.deleted", null, null)]
    [InlineData(null, "agent.*", null, null)]
    [InlineData(null, null, "agent", null)]
    [InlineData(null, null, null, "nothing")]
    public async Task A_list_of_the_audit_log_fetches_few_rows(string? actor, string? action, string? kind, string? target)
    {
        await using var db = postgres.NewDb();
        await db.BeginAsync(default);

        var rows = await new AuditStore(db).ListAsync(tenant, new AuditFilter(actor, action, kind, target, null, null), null, 20, default);

        Assert.Empty(rows);
        Assert.InRange(await FetchedAsync(db), 0, FewRows);
    }

    private static TaskFilter Filter(AgentTaskStatus? status = null, string? agent = null, string? tag = null) =>
        new(status, agent, tag, null, null);

    /// <summary>Rows that this transaction has read, by index or not.</summary>
    private async Task<long> FetchedAsync(Db db) =>
        await db.QueryOneAsync(
            tenant,
            """
            SELECT COALESCE(sum(seq_tup_read + COALESCE(idx_tup_fetch, 0)), 0)::bigint
            FROM pg_stat_xact_user_tables
            WHERE schemaname = 'viral'
            """,
            [],
            row => row.GetInt64(0),
            default);
}
