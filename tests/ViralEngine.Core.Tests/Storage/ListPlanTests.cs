using Npgsql;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Webhooks;
using ViralEngine.Core.Workflows;
using ViralEngine.Testing;
using ViralEngine.Testing.Lists;

namespace ViralEngine.Core.Tests.Storage;

/// <summary>
/// A filter that finds little reads little: counted in the rows and blocks that PostgreSQL read, whatever time it took
/// and however many there are.
/// </summary>
public sealed class ListPlanTests(ManyRowsFixture many) : IClassFixture<ManyRowsFixture>
{
    private const int FewRows = 400;
    private const int FewBlocks = 1000;

    public static TheoryData<string> Cases => [.. ListCase.All.Select(list => list.ToString())];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_list_reads_few_rows(string name)
    {
        var list = ListCase.All.Single(list => list.ToString() == name);
        await using var db = many.Postgres.NewDb();

        var reading = await ListReading.OfAsync(list, db, many.Tenant, many.Now);

        Assert.Equal(list.Expected, reading.Found);
        Assert.InRange(reading.Sequential, 0, 10); // tables of a few rows may be read as a whole
        Assert.InRange(reading.Fetched, 0, FewRows + list.LooksThrough);
        Assert.InRange(reading.Blocks, 1, FewBlocks + list.LooksThrough);
    }

    [Theory]
    [InlineData("tasks", typeof(TaskFilter))]
    [InlineData("workflows", typeof(WorkflowFilter))]
    [InlineData("deliveries", typeof(WebhookDeliveryFilter))]
    [InlineData("audit log", typeof(AuditFilter))]
    public void Every_filter_is_tried(string list, Type filter) =>
        Assert.All(filter.GetProperties(), property => Assert.Contains(
            ListCase.All,
            tried => tried.List == list && tried.Filter.StartsWith(property.Name, StringComparison.Ordinal)));

    /// <summary>No index knows the words of descriptions: the only task that matches is the oldest.</summary>
    [Fact]
    public async Task A_page_of_a_search_looks_through_a_part_of_many_tasks()
    {
        await using var db = many.Postgres.NewDb();
        var store = new TaskStore(db, null!, TimeProvider.System);
        var found = new List<string>();
        var pages = 0;
        Guid? before = null;
        do
        {
            var page = await store.ListAsync(many.Tenant, new TaskFilter(Search: "RARE"), before, 20, default);
            found.AddRange(page.Tasks.Select(task => task.Description));
            before = page.LookedTo;
            pages++;
        }
        while (before is not null);

        Assert.Equal("rare", Assert.Single(found));
        // The last of the full pages ends with the oldest task, and only the next knows that there is no more.
        Assert.Equal((ManyRowsFixture.Rows / TaskStore.MaxLookedThrough) + 1, pages);
    }

    /// <summary>
    /// No index knows the states of items, which change too often: a page looks at so many and leaves the rest to the
    /// next.
    /// </summary>
    [Fact]
    public async Task A_page_of_results_looks_through_a_part_of_a_large_batch()
    {
        const int Items = 2 * BatchResultReader.MaxLookedThrough;
        var batch = await many.AddBatchAsync(Items, failed: Items - 1);
        await using var db = many.Postgres.NewDb();
        var reader = new BatchResultReader(db);

        var first = await reader.ReadAsync(many.Tenant, batch, AgentTaskStatus.Failed, 0, default);
        var second = await reader.ReadAsync(many.Tenant, batch, AgentTaskStatus.Failed, first.Last, default);

        Assert.Equal((0, BatchResultReader.MaxLookedThrough, true), (first.Results.Count, first.Last, first.More));
        Assert.Equal($"{Items - 1}", Assert.Single(second.Results).Id);
        Assert.False(second.More);
    }
}

/// <summary>One tenant with many rows behind each list.</summary>
public sealed class ManyRowsFixture : IAsyncLifetime
{
    public const int Rows = 3 * TaskStore.MaxLookedThrough;

    public TestPostgres Postgres { get; } = new();

    public TenantId Tenant { get; } = new(Guid.CreateVersion7());

    public DateTime Now { get; } = DateTime.UtcNow;

    public async Task InitializeAsync()
    {
        await Postgres.InitializeAsync();
        await ManyRows.FillAsync(Postgres.AdminConnection, Tenant, Rows, Now);
    }

    public Task DisposeAsync() => Postgres.DisposeAsync();

    /// <summary>A batch that has ended, with one item that failed.</summary>
    public async Task<Guid> AddBatchAsync(int items, int failed)
    {
        var id = Guid.CreateVersion7();
        await using var admin = new NpgsqlConnection(Postgres.AdminConnection);
        await admin.OpenAsync();
        await using var batch = new NpgsqlBatch(admin)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(
                    """
                    INSERT INTO viral.batches (
                        tenant_id, id, name, status, concurrency_limit, failure_mode, total_items, created_by,
                        created_at, updated_at, completed_at, check_at, progress_at)
                    VALUES ($1, $2, 'x', 'completed', 10, 'continue', $3, 'test', now(), now(), now(), now(), now())
                    """)
                {
                    Parameters = { new() { Value = Tenant.Value }, new() { Value = id }, new() { Value = items } },
                },
                new NpgsqlBatchCommand(
                    """
                    INSERT INTO viral.batch_items (
                        tenant_id, batch_id, number, agent_id, description, status, completed_at, result, error)
                    SELECT $1, $2, n, 'echo', 'x', CASE WHEN n = $4 THEN 'failed' ELSE 'completed' END, now(),
                           CASE WHEN n <> $4 THEN 'x' END, CASE WHEN n = $4
                               THEN '{"class":"fatal","message":"x"}'::jsonb END
                    FROM generate_series(1, $3) AS n
                    """)
                {
                    Parameters =
                    {
                        new() { Value = Tenant.Value }, new() { Value = id }, new() { Value = items },
                        new() { Value = failed },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync();
        return id;
    }
}
