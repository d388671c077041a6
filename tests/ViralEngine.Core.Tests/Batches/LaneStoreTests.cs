using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Events;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tests.Agents;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Batches;

/// <summary>Leases, fencing and runs of ranges, from within.</summary>
public sealed class LaneStoreTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Lapsed = TimeSpan.FromMilliseconds(-1);

    private readonly TenantId tenant = new(Guid.CreateVersion7());

    [Fact]
    public async Task Claims_the_front_of_a_range_and_leaves_the_rest_to_others()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 8));

        var first = await ClaimAsync(store, batch, size: 3, Long);
        var second = await ClaimAsync(store, batch, size: 100, Long);
        var slice = Assert.Single(await store.ReadAsync(tenant, batch, [first!], 1_000_000, CancellationToken.None));

        Assert.Equal((1, 3), (first!.First, first.Last));
        Assert.Equal((4, 8), (second!.First, second.Last));
        Assert.Null(await ClaimAsync(store, batch, size: 1, Long));
        Assert.Equal(["item 1", "item 2", "item 3"], slice.Items.Select(item => item.Description));
        Assert.Equal(4, slice.Next);
    }

    [Fact]
    public async Task Claims_a_range_for_each_place_and_no_more_than_the_lane_has_places()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 10));

        var first = await ClaimManyAsync(store, batch, lane: 0, slices: 3, size: 2, places: 4);
        var second = await ClaimManyAsync(store, batch, lane: 0, slices: 4, size: 2, places: 4);
        var third = await ClaimManyAsync(store, batch, lane: 0, slices: 4, size: 2, places: 4);
        var other = await ClaimManyAsync(store, batch, lane: 1, slices: 4, size: 2, places: 4);
        var read = await store.ReadAsync(tenant, batch, first, mostBytes: 10, CancellationToken.None);

        Assert.Equal([(1, 2), (3, 4), (5, 6)], first.Select(lease => (lease.First, lease.Last)));
        Assert.Equal([(7, 8)], second.Select(lease => (lease.First, lease.Last)));
        Assert.Empty(third);
        Assert.Equal([(9, 10)], other.Select(lease => (lease.First, lease.Last)));
        // What does not fit into memory together goes back as it came.
        Assert.Equal([(2, 3), (0, 3), (0, 5)], read.Select(slice => (slice.Items.Count, slice.Next)));
    }

    [Fact]
    public async Task A_lane_that_frees_what_lapsed_does_not_wait_for_one_that_does_the_same()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 4));
        var lapsed = await ClaimManyAsync(store, batch, lane: 0, slices: 2, size: 2, places: 2, Lapsed);
        await using var other = postgres.NewDb();
        await other.BeginAsync(CancellationToken.None);
        await other.ExecuteAsync(
            tenant, "UPDATE viral.batch_slices SET lost = lost + 1 WHERE batch_id = $1 AND first = 1", [batch],
            CancellationToken.None);

        var taken = await ClaimManyAsync(store, batch, lane: 1, slices: 2, size: 2, places: 2)
            .WaitAsync(Eventually.Bound);

        await other.RollbackAsync();
        Assert.Equal([(1, 2), (3, 4)], lapsed.Select(lease => (lease.First, lease.Last)));
        Assert.Equal(3, Assert.Single(taken).First);
    }

    [Fact]
    public async Task Of_a_claim_that_was_long_on_its_way_only_what_is_still_held_is_called_for()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 2));
        var taken = await ClaimManyAsync(store, batch, lane: 0, slices: 2, size: 1, places: 2);
        var lost = taken[0] with { Holder = Guid.NewGuid() };
        var time = new FakeTimeProvider();
        var keeper = new BatchLaneKeeper(
            postgres.DataSource, NewSignals(), Options.Create(new BatchOptions()), time,
            NullLogger<BatchLaneKeeper>.Instance);
        var since = time.GetTimestamp();

        time.Advance(keeper.Lease);
        using var lane = keeper.Hold(tenant, batch, CancellationToken.None);
        var chains = new Dictionary<string, AgentChain> { ["echo"] = new([AgentBench.Echo()], null) };
        var (goneRun, heldRun) = (RunAsync(lost), RunAsync(taken[1]));
        var waited = !goneRun.IsCompleted && !heldRun.IsCompleted;
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return Task.FromResult(goneRun.IsCompleted && heldRun.IsCompleted);
            },
            "the leases to be renewed or lost");

        Assert.Equal((true, 0, 1), (waited, (await goneRun).Ran, (await heldRun).Ran));

        async Task<SliceRun> RunAsync(SliceLease lease)
        {
            var claim = lane.Hold(lease, chains, since);
            var slice = Assert.Single(await store.ReadAsync(tenant, batch, [lease], 1_000_000, CancellationToken.None));
            return await NewSliceRunner(time).RunAsync(
                tenant, new LanePlan(batch, "echo", FailureMode.Continue, false), slice, claim, claim.Ended);
        }
    }

    [Fact]
    public async Task An_item_is_timed_from_its_call_to_its_first_token_and_to_its_end()
    {
        var time = new FakeTimeProvider();
        var start = time.GetTimestamp();
        var slow = AgentBench.Echo(new EchoSettings { DelayMsPerChunk = 1000 });
        var slice = new ClaimedSlice(
            new SliceLease(1, Guid.NewGuid(), 1, 1, 0),
            [new BatchItem(1, null, "two words", null, TimeSpan.FromMinutes(10), 1, 0, 0)],
            2);
        using var claim = new HeldClaim(
            slice.Lease, new Dictionary<string, AgentChain> { ["echo"] = new([slow], null) },
            new HeldSince(Long, time, start), CancellationToken.None);

        var run = NewSliceRunner(time).RunAsync(
            tenant, new LanePlan(Guid.CreateVersion7(), "echo", FailureMode.Continue, false), slice, claim,
            claim.Ended);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return run.IsCompleted;
            },
            "the answer");

        var outcome = Assert.Single((await run).Settled.Outcomes);
        Assert.Equal("completed", outcome.Status);
        Assert.InRange(outcome.Took!.Value, TimeSpan.FromSeconds(2), time.GetElapsedTime(start));
        Assert.InRange(
            outcome.TimeToFirstToken!.Value, TimeSpan.FromSeconds(1), outcome.Took.Value - TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Each_range_of_a_group_is_settled_by_itself()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 4));
        var mine = await ClaimManyAsync(store, batch, lane: 0, slices: 2, size: 2, places: 2);
        var foreign = mine[0] with { Holder = Guid.NewGuid() };

        var step = await store.SettleAndClaimAsync(
            tenant, batch, 0,
            [
                new SettledSlice(foreign, [Completed(1, "no")], []),
                new SettledSlice(mine[1], [Completed(3, "c")], [new SliceRest(4, 4, TimeSpan.Zero)]),
            ],
            null, CancellationToken.None);
        var results = await ResultsAsync(db, batch);
        var rest = await ClaimAsync(store, batch, size: 5, Long);

        Assert.Equal(foreign, Assert.Single(step.Lost).Lease);
        Assert.Equal([null, null, "c", null], results.Select(result => result.Result));
        Assert.Equal((4, 4), (rest!.First, rest.Last));
    }

    [Fact]
    public async Task A_late_outcome_is_kept_as_long_as_nobody_else_has_taken_the_range()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 2));
        var late = await ClaimManyAsync(store, batch, lane: 0, slices: 2, size: 1, places: 2, Lapsed);
        var taken = await ClaimManyAsync(store, batch, lane: 1, slices: 1, size: 1, places: 1);

        var first = await SettleAsync(store, batch, late[0], Completed(1, "late"));
        var second = await SettleAsync(store, batch, late[1], Completed(2, "late"));

        Assert.Equal((1, 1), (taken[0].First, taken[0].Last));
        Assert.Equal((false, true), (first, second));
        Assert.Equal([null, "late"], (await ResultsAsync(db, batch)).Select(result => result.Result));
    }

    [Fact]
    public async Task A_late_worker_whose_range_was_taken_changes_nothing()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 2));
        var late = await ClaimAsync(store, batch, size: 2, Lapsed);
        var taken = await ClaimAsync(store, batch, size: 2, Long);

        var dropped = await SettleAsync(store, batch, late!, Completed(1, "late"), Completed(2, "late"));
        var kept = await SettleAsync(store, batch, taken!, Completed(1, "in time"));
        var seen = (await new BatchStore(db).FindAsync(tenant, batch, CancellationToken.None))!;
        var results = await ResultsAsync(db, batch);

        Assert.Equal(1, taken!.Lost);
        Assert.Equal((1, 1), (taken.First, taken.Last)); // half of what its holder died over
        Assert.False(dropped);
        Assert.True(kept);
        Assert.Equal((1, 1), (seen.Counts.Completed, seen.Counts.Pending));
        Assert.Equal(["in time", null], results.Select(result => result.Result));
    }

    [Fact]
    public async Task Settling_twice_counts_once_and_the_end_is_announced_once()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 2));
        var lease = await ClaimAsync(store, batch, size: 2, Long);

        var first = await SettleAsync(store, batch, lease!, Completed(1, "a"), Completed(2, "b"));
        var second = await SettleAsync(store, batch, lease!, Completed(1, "c"), Completed(2, "d"));
        var course = CourseOf(db);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var own = postgres.NewDb();
            await CourseOf(own).EndAsync(tenant, batch, CancellationToken.None);
        }));
        await course.EndAsync(tenant, batch, CancellationToken.None);
        var events = (
            await new EventStore(db).ReadAsync(tenant, BatchStore.EventHead, batch, 0, 100, CancellationToken.None))!;

        Assert.Equal((true, false), (first, second));
        Assert.Equal(2, (await new BatchStore(db).FindAsync(tenant, batch, CancellationToken.None))!.Counts.Completed);
        Assert.Equal(
            ["batch.created", "batch.started", "batch.completed"], events.Items.Select(happened => happened.Type));
        Assert.True(events.Ended);
    }

    [Fact]
    public async Task Nothing_is_claimed_of_a_batch_that_was_cancelled_and_what_is_held_ends_with_its_lease()
    {
        await using var db = postgres.NewDb();
        var (store, batch) = (new BatchLaneStore(db), await SubmitAsync(db, items: 5));
        var held = await ClaimAsync(store, batch, size: 2, Long);

        await new BatchStore(db).CancelAsync(tenant, batch, "test", CancellationToken.None);
        var refused = await ClaimAsync(store, batch, size: 1, Long);
        var waits = await CourseOf(db).EndAsync(tenant, batch, CancellationToken.None);
        await SettleAsync(store, batch, held!, Completed(1, "done"));
        var ended = await CourseOf(db).EndAsync(tenant, batch, CancellationToken.None);
        var seen = (await new BatchStore(db).FindAsync(tenant, batch, CancellationToken.None))!;

        Assert.Null(refused);
        Assert.NotNull(waits.Until);
        Assert.Null(ended.Until);
        Assert.Equal((1, 4), (seen.Counts.Completed, seen.Counts.Cancelled + seen.Counts.Pending));
    }

    private async Task<Guid> SubmitAsync(Db db, int items)
    {
        var (id, intake) = (Guid.CreateVersion7(), new BatchIntake(db, postgres.DataSource, TimeProvider.System));
        await db.BeginAsync(CancellationToken.None);
        var contents = await intake.StoreAsync(tenant, id, 0, Items(), CancellationToken.None);
        await intake.AddAsync(
            tenant, new NewBatch(id, "test", null, "echo", 1, FailureMode.Continue, "test"), contents,
            CancellationToken.None);
        await db.CommitAsync(CancellationToken.None);
        // One range for all, whatever the batch was cut into.
        await db.ExecuteAsync(
            tenant, "DELETE FROM viral.batch_slices WHERE batch_id = $1 AND first > 1", [id], CancellationToken.None);
        await db.ExecuteAsync(
            tenant, "UPDATE viral.batch_slices SET last = $2 WHERE batch_id = $1", [id, items], CancellationToken.None);
        await CourseOf(db).BeginAsync(tenant, id, CancellationToken.None);
        return id;

        async IAsyncEnumerable<NewBatchItem> Items()
        {
            for (var number = 1; number <= items; number++)
                yield return new NewBatchItem { Number = number, Description = $"item {number}" };
            await Task.CompletedTask;
        }
    }

    private async Task<SliceLease?> ClaimAsync(BatchLaneStore store, Guid batch, int size, TimeSpan lease) =>
        (await ClaimManyAsync(store, batch, lane: 0, slices: 1, size, places: 100, lease)).SingleOrDefault();

    private async Task<IReadOnlyList<SliceLease>> ClaimManyAsync(
        BatchLaneStore store, Guid batch, int lane, int slices, int size, int places, TimeSpan? lease = null) =>
        (await store.SettleAndClaimAsync(
            tenant, batch, lane, [],
            new SliceClaim(Guid.NewGuid(), slices, size, places, lease ?? Long, FreesLapsed: true),
            CancellationToken.None)).Taken;

    private async Task<bool> SettleAsync(
        BatchLaneStore store, Guid batch, SliceLease lease, params ItemOutcome[] outcomes) =>
        (await store.SettleAndClaimAsync(
            tenant, batch, 0,
            [new SettledSlice(lease, outcomes, SliceRunner.Rest(outcomes, outcomes[^1].Number + 1, lease.Last))], null,
            CancellationToken.None)).Lost.Count == 0;

    private async Task<IReadOnlyList<BatchResult>> ResultsAsync(Db db, Guid batch) =>
        (await new BatchResultReader(db).ReadAsync(tenant, batch, null, 0, CancellationToken.None)).Results;

    private static SliceRunner NewSliceRunner(TimeProvider time)
    {
        var options = Options.Create(new AgentsOptions());
        var memory = new AnswerMemory(options);
        var outgoing = new OutgoingHttp(Options.Create(new OutgoingOptions()));
        var agents = new AgentRunner(
            null!, new AgentProviders(outgoing, memory, options, time), memory, new PriceTable(options), time,
            NullLogger<AgentRunner>.Instance);
        return new SliceRunner(agents, memory, time, new Random(1), NullLogger<SliceRunner>.Instance);
    }

    private BatchCourse CourseOf(Db db) => new(db, NewSignals());

    private Signals NewSignals()
    {
        var redis = new RedisConnection(new RedisSettings(null, null), NullLogger<RedisConnection>.Instance);
        return new Signals(
            redis,
            new ChangePoller(postgres.DataSource, redis, TimeProvider.System, NullLogger<ChangePoller>.Instance));
    }

    private static ItemOutcome Completed(int number, string result) =>
        new(number, "completed", new ItemResult(result, null), "echo", "stop", null, new(1, 1, 0), null);
}
