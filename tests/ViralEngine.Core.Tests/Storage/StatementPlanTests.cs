using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Events;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Webhooks;
using Xunit.Abstractions;

namespace ViralEngine.Core.Tests.Storage;

/// <summary>
/// The longest statements among millions of rows, with custom and generic plans: none reads a large table as a whole,
/// and each looks at a number of blocks that grows with what it works on and not with what there is.
/// </summary>
[Trait("Category", "Slow")]
public sealed class StatementPlanTests(LargeDatabase large, ITestOutputHelper output) : IClassFixture<LargeDatabase>
{
    private static readonly IOptions<WebhooksOptions> Webhooks = Options.Create(new WebhooksOptions());
    private static readonly TaskAdmission Admission = new(
        new LimitsOptions { Plans = new() { Team = new() { ConcurrentTasks = 1000 } } });

    public static TheoryData<string> Kinds => [.. LargeDatabase.PlanKinds];

    /// <summary>Each of the organizations with a backlog might get all places.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Claims_tasks(string kind)
    {
        var pool = large.PoolOf(kind);
        using var places = new CallSlots(Options.Create(new LanesOptions())).SetAside(50);

        var claimed = await ReadAsync(
            pool, blocks: 21 * 50 * 20,
            () => new TaskClaimStore(pool.DataSource, TaskLeaseOptions.Default, Admission).ClaimAsync(places, default));

        Assert.Equal(50, claimed.Tasks.Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Stores_tasks(string kind)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);

        var stored = await ReadAsync(pool, blocks: 20 * 300, () => AddTasksAsync(db, Tenant(201)));

        Assert.Equal(20, stored.Count);
    }

    [Theory]
    [InlineData("custom", 25)]
    [InlineData("generic", 275)]
    public async Task Completes_tasks(string kind, int first)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);
        var answer = new TaskAnswer("x", [1], 0, "echo", "stop", null, new(1, 1, 0));
        var leased = Enumerable.Range(976, 25).Select(
            k => new FinishedAttempt(LargeDatabase.Id((k * 1000) + first), 1, answer)).ToArray();

        var kept = await ReadAsync(
            pool, blocks: 25 * 300, () => TaskGroupStore.CompleteAsync(db, Tenant(1000), leased, default));

        Assert.Equal(25, kept.Count(ended => ended));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Claims_deliveries(string kind)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);

        var claimed = await ReadAsync(
            pool, blocks: 40 * 250, () => new DeliveryQueue(db, Webhooks).ClaimAsync(40, default));

        Assert.InRange(claimed.Count, 20, 40);
    }

    /// <summary>It may look at all deliveries of the organization that are leased: a hundred.</summary>
    [Theory]
    [InlineData("custom", 25, 200)]
    [InlineData("generic", 275, 200)]
    [InlineData("custom", 525, 500)]
    [InlineData("generic", 775, 500)]
    public async Task Settles_a_delivery(string kind, int n, int status)
    {
        var id = LargeDatabase.Id(1_000_000 + n);

        Assert.True(await ReadAsync(
            large.PoolOf(kind), blocks: status == 200 ? 500 : 1200,
            () => SettleAsync(kind, organization: 1000, id, status)));
    }

    /// <summary>The thousand that wait for it are held.</summary>
    [Theory]
    [InlineData("custom", 151)]
    [InlineData("generic", 401)]
    public async Task Disables_an_endpoint(string kind, int organization)
    {
        var id = LargeDatabase.Id(999_999 + organization);

        Assert.True(await ReadAsync(
            large.PoolOf(kind), blocks: 1000 * 120, () => SettleAsync(kind, organization, id, status: 410)));
    }

    [Theory]
    [InlineData("custom", 1)]
    [InlineData("generic", 2)]
    public async Task Settles_items_and_claims_more(string kind, int lane)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);
        var (store, tenant, batch) = (new BatchLaneStore(db, Admission), Tenant(1), LargeDatabase.Id(1000));
        var claim = new SliceClaim(
            Guid.NewGuid(), Slices: 10, Size: 50, Places: 20, TimeSpan.FromMinutes(5), FreesLapsed: true);

        var first = await ReadAsync(
            pool, blocks: 10 * 60, () => store.SettleAndClaimAsync(tenant, batch, lane, [], claim, default));
        var read = await ReadAsync(
            pool, blocks: 10 * 25, () => store.ReadAsync(tenant, batch, first.Taken, 1_000_000, default));
        var settled = read
            .Select(slice => new SettledSlice(slice.Lease, [.. slice.Items.Select(item => Completed(item.Number))], []))
            .ToArray();
        var second = await ReadAsync(
            pool, blocks: 500 * 25, () => store.SettleAndClaimAsync(tenant, batch, lane, settled, claim, default));

        Assert.Equal((10, 10, 0), (first.Taken.Count, second.Taken.Count, second.Lost.Count));
        Assert.Equal(500, settled.Sum(slice => slice.Outcomes.Count));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Stores_and_starts_a_batch(string kind)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);
        var (intake, tenant, id) = (
            new BatchIntake(db, pool.DataSource, TimeProvider.System), Tenant(301), Guid.CreateVersion7());

        var contents = await ReadAsync(
            pool, blocks: 20 * 40, () => intake.StoreAsync(tenant, id, 1_000_000, Items(), default));
        var batch = new NewBatch(id, "x", null, "echo", 10, FailureMode.Continue, "test") { MaxPerMonth = 1_000_000 };
        await ReadAsync(pool, blocks: 20 * 60, () => intake.AddAsync(tenant, batch, contents, default));
        var places = await ReadAsync(
            pool, blocks: 300, () => new BatchCourse(db, NewSignals(pool)).BeginAsync(tenant, id, default));

        Assert.Equal((20, 10), (contents.Items, places));

        // Ids that might be numbers of other items.
        static async IAsyncEnumerable<NewBatchItem> Items()
        {
            for (var number = 1; number <= 20; number++)
                yield return new NewBatchItem { Number = number, ItemId = $"{number}", Description = "x" };
            await Task.CompletedTask;
        }
    }

    /// <summary>A thousand points of each minute.</summary>
    [Theory]
    [InlineData("custom", 1)]
    [InlineData("generic", 2)]
    public async Task Folds_metrics(string kind, int minutes)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);
        var before = new DateTime(2026, 1, 1, 0, minutes, 0, DateTimeKind.Utc);

        await ReadAsync(
            pool, blocks: minutes * 1000 * 40,
            () => new MetricRollup(db, TimeProvider.System).FoldAsync(before, default));
    }

    [Theory]
    [InlineData("custom", 3)]
    [InlineData("generic", 5)]
    public async Task Deletes_an_organization(string kind, int organization)
    {
        var pool = large.PoolOf(kind);
        await using var db = new Db(pool.DataSource);
        await AddTasksAsync(db, Tenant(organization));

        var deleted = await ReadAsync(
            pool, blocks: 20 * 120,
            () => new DeleteOrganization(db, NewSignals(pool)).RunAsync(Tenant(organization).Value, default));

        Assert.True(deleted);
    }

    [Fact]
    public async Task Lists_approvals_for_somebody_whom_none_of_many_gates_asks()
    {
        var pool = large.PoolOf("custom");
        await using var db = new Db(pool.DataSource);
        var caller = new Caller(CallerKind.User, "nobody", Tenant(1000), Role.Approver);

        Assert.Empty(
            await ReadAsync(pool, blocks: 30, () => new GateStore(db).WaitingForAsync(caller, null, 20, default)));
    }

    private static TenantId Tenant(int organization) => new(LargeDatabase.Id(organization));

    private static Task<IReadOnlyList<DateTime?>> AddTasksAsync(Db db, TenantId tenant) => TaskGroupStore.InsertAsync(
        db, tenant,
        [.. Enumerable.Range(0, 20).Select(
            _ => new NewTask(Guid.CreateVersion7(), "echo", "x", null, 5, ["tag"], null, 300, 3, null, "test"))],
        default);

    /// <summary>Settles a delivery that is leased.</summary>
    private async Task<bool> SettleAsync(string kind, int organization, Guid id, int status)
    {
        await using var db = new Db(large.PoolOf(kind).DataSource);
        var delivery = new ClaimedDelivery(
            Tenant(organization), id, 1, 0, "https://receiver.example/", null, [], id, "{}");
        var attempt = new WebhookAttempt(
            DateTime.UtcNow, TimeSpan.FromSeconds(3), new Dictionary<string, string>(), status, null, null, null, null);
        return await new DeliveryResults(db, Webhooks, Random.Shared).StoreAsync(delivery, attempt, default);
    }

    private static ItemOutcome Completed(int number) =>
        new(number, "completed", new ItemResult("x", null), "echo", "stop", null, new(1, 1, 0), null);

    private static Signals NewSignals(WatchedPool pool)
    {
        var redis = new RedisConnection(new RedisSettings(null, null), NullLogger<RedisConnection>.Instance);
        return new Signals(
            redis, new ChangePoller(pool.DataSource, redis, TimeProvider.System, NullLogger<ChangePoller>.Instance));
    }

    private async Task<T> ReadAsync<T>(WatchedPool pool, int blocks, Func<Task<T>> run)
    {
        T? result = default;
        await ReadAsync(pool, blocks, async () => { result = await run(); });
        return result!;
    }

    /// <param name="blocks">The most that all its statements may look at.</param>
    private async Task ReadAsync(WatchedPool pool, int blocks, Func<Task> run)
    {
        pool.TakePlans();
        await run();
        var plans = pool.TakePlans();

        output.WriteLine($"{plans.Sum(plan => plan.Blocks)} of {blocks} blocks");
        Assert.NotEmpty(plans);
        Assert.All(plans, plan => Assert.Empty(plan.Scanned.Intersect(large.Tables)));
        Assert.InRange(plans.Sum(plan => plan.Blocks), 1, blocks);
    }
}
