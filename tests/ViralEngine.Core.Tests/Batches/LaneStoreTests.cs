using Microsoft.Extensions.Logging.Abstractions;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Events;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Batches;

/// <summary>Leases and fencing of ranges, from within.</summary>
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
        var (items, next) = await store.ReadAsync(tenant, batch, first!, 1_000_000, CancellationToken.None);

        Assert.Equal((1, 3), (first!.First, first.Last));
        Assert.Equal((4, 8), (second!.First, second.Last));
        Assert.Null(await ClaimAsync(store, batch, size: 1, Long));
        Assert.Equal(["item 1", "item 2", "item 3"], items.Select(item => item.Description));
        Assert.Equal(4, next);
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
        var events = (await new EventStore(db).ReadAsync(tenant, BatchStore.EventHead, batch, 0, 100, CancellationToken.None))!;

        Assert.Equal((true, false), (first, second));
        Assert.Equal(2, (await new BatchStore(db).FindAsync(tenant, batch, CancellationToken.None))!.Counts.Completed);
        Assert.Equal(["batch.created", "batch.started", "batch.completed"], events.Items.Select(happened => happened.Type));
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
        var (id, intake) = (Guid.CreateVersion7(), new BatchIntake(db));
        await db.BeginAsync(CancellationToken.None);
        var contents = await intake.StoreAsync(tenant, id, Items(), CancellationToken.None);
        await intake.AddAsync(tenant, new NewBatch(id, "test", null, "echo", 1, FailureMode.Continue, "test"), contents, CancellationToken.None);
        await db.CommitAsync(CancellationToken.None);
        // One range for all, whatever the batch was cut into.
        await db.ExecuteAsync(tenant, "DELETE FROM viral.batch_slices WHERE batch_id = $1 AND first > 1", [id], CancellationToken.None);
        await db.ExecuteAsync(tenant, "UPDATE viral.batch_slices SET last = $2 WHERE batch_id = $1", [id, items], CancellationToken.None);
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
        (await store.SettleAndClaimAsync(tenant, batch, 0, null, new SliceClaim(Guid.NewGuid(), size, lease), CancellationToken.None)).Taken;

    private async Task<bool> SettleAsync(BatchLaneStore store, Guid batch, SliceLease lease, params ItemOutcome[] outcomes) =>
        (await store.SettleAndClaimAsync(
            tenant, batch, 0, new SettledSlice(lease, outcomes, SliceRunner.Rest(outcomes, outcomes[^1].Number + 1, lease.Last)), null,
            CancellationToken.None)).Kept;

    private async Task<List<BatchResult>> ResultsAsync(Db db, Guid batch)
    {
        var results = new List<BatchResult>();
        await foreach (var result in new BatchResultReader(db).ReadAsync(tenant, batch, null, CancellationToken.None))
            results.Add(result);
        return results;
    }

    private static BatchCourse CourseOf(Db db) => new(db, new Signals(new RedisConnection(new RedisSettings(null, null), NullLogger<RedisConnection>.Instance)));

    private static ItemOutcome Completed(int number, string result) => new(number, "completed", result, "echo", null, 1, 1, 0, null);
}
