using System.Text.Json;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Tasks;

public sealed class TaskLeaseTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly TaskLeaseOptions Short = new(TimeSpan.FromMilliseconds(1));
    private readonly TenantId tenant = new(Guid.CreateVersion7());

    [Fact]
    public async Task A_task_is_taken_up_by_one_of_many()
    {
        var id = await AddAsync();

        var claims = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            await using var db = postgres.NewDb();
            return await Leases(db, TaskLeaseOptions.Default).ClaimAsync(tenant, id, default);
        }));

        Assert.Single(claims.OfType<TaskClaim.Taken>());
        Assert.Equal(15, claims.OfType<TaskClaim.NotBefore>().Count());
    }

    [Fact]
    public async Task A_late_worker_whose_lease_was_taken_changes_nothing()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var store = Leases(db, Short);
        var late = await TakeAsync(store, id);
        var current = await TakeAsync(store, id);

        var completed = await store.CompleteAsync(tenant, id, late.Attempt, Answer("late"));
        var failed = await store.FailAsync(tenant, id, new TaskError("internal", "late", null, late.Attempt), 0, null, default);
        var progressed = await store.ReportProgressAsync(tenant, id, late.Attempt, 0.5, null, default);
        var released = await store.ReleaseAsync(tenant, id, late.Attempt, 0, default);
        var accepted = await store.CompleteAsync(tenant, id, current.Attempt, Answer("current"));

        Assert.Equal((false, false, false, 0, true), (completed, failed, progressed, released, accepted));
        Assert.Equal("current", (await Tasks(db).FindAsync(tenant, id, default))!.Result);
        Assert.Equal(
            ["task.created", "task.started", "task.started", "task.completed"],
            (await EventsAsync(db, id)).Select(happened => happened.Type));
    }

    [Fact]
    public async Task An_ended_task_is_not_taken_up_again()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var store = Leases(db, Short);
        var attempt = await TakeAsync(store, id);
        await store.CompleteAsync(tenant, id, attempt.Attempt, Answer("done"));

        Assert.IsType<TaskClaim.Nothing>(await store.ClaimAsync(tenant, id, default));
    }

    [Fact]
    public async Task A_failed_attempt_waits_for_its_time()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var store = Leases(db, TaskLeaseOptions.Default);
        var attempt = await TakeAsync(store, id);

        await store.FailAsync(tenant, id, new TaskError("unavailable", "Away.", "echo", attempt.Attempt), 0, TimeSpan.FromHours(1), default);
        var claim = Assert.IsType<TaskClaim.NotBefore>(await store.ClaimAsync(tenant, id, default));
        var task = (await Tasks(db).FindAsync(tenant, id, default))!;

        Assert.True(claim.At > DateTime.UtcNow.AddMinutes(50));
        Assert.Equal(AgentTaskStatus.Pending, task.Status);
        Assert.Equal("Away.", task.Error!.Message);
        Assert.Equal(claim.At, task.NextAttemptAt);
    }

    [Fact]
    public async Task A_cancelled_task_whose_worker_died_ends_as_cancelled()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var store = Leases(db, Short);
        await TakeAsync(store, id);
        await Tasks(db).CancelAsync(tenant, id, "test", default);

        await Eventually.TrueAsync(async () => await store.ClaimAsync(tenant, id, default) is TaskClaim.Nothing, "the lease to lapse");

        Assert.Equal(AgentTaskStatus.Cancelled, (await Tasks(db).FindAsync(tenant, id, default))!.Status);
    }

    [Fact]
    public async Task Each_of_many_readers_at_once_gets_its_own_task()
    {
        var ids = new[] { await AddAsync(), await AddAsync(), await AddAsync(), Guid.CreateVersion7() };
        var stranger = new TenantId(Guid.CreateVersion7());
        await using var db = postgres.NewDb();
        var tasks = Tasks(db);

        var own = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => tasks.FindAsync(tenant, ids[i % 4], default)));
        var foreign = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
            (await tasks.FindAsync(stranger, ids[i % 4], default), await tasks.FindAsync(tenant, ids[i % 3], default))));

        Assert.Equal(Enumerable.Range(0, 200).Select(i => i % 4 == 3 ? (Guid?)null : ids[i % 4]), own.Select(task => task?.Id));
        Assert.All(foreign, read => Assert.Null(read.Item1));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => ids[i % 3]), foreign.Select(read => read.Item2!.Id));
    }

    [Fact]
    public async Task The_sweep_finds_what_nobody_looks_after_and_asks_seldom_after_the_rest()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        await db.ExecuteAsync(tenant, "UPDATE viral.tasks SET check_at = now() - interval '1 second' WHERE id = $1", [id], default);

        var first = await new TaskSweeper(db).TakeAsync(100, default);
        var second = await new TaskSweeper(db).TakeAsync(100, default);

        Assert.Contains(first, task => task.Id == id && task.Tenant == tenant);
        Assert.DoesNotContain(second, task => task.Id == id);
    }

    private TaskStore Tasks(Db db) => new(db, new TaskGroups(postgres.DataSource, TaskLeaseOptions.Default));

    private TaskLeaseStore Leases(Db db, TaskLeaseOptions options) => new(db, new TaskGroups(postgres.DataSource, options));

    private static TaskAnswer Answer(string text) => new(text, [text.Length], 0, "echo", null);

    private async Task<TaskAttempt> TakeAsync(TaskLeaseStore store, Guid id) =>
        ((TaskClaim.Taken)await Eventually.GetAsync(
            () => store.ClaimAsync(tenant, id, default), claim => claim is TaskClaim.Taken, "the task to be free")).Attempt;

    private async Task<IReadOnlyList<Event>> EventsAsync(Db db, Guid id) =>
        (await new EventStore(db).ReadAsync(tenant, TaskStore.EventHead, id, 0, 100, default))!.Items;

    private async Task<Guid> AddAsync()
    {
        await using var db = postgres.NewDb();
        var task = new NewTask(
            Guid.CreateVersion7(), "echo", "test", JsonSerializer.Serialize(1), 5, [], null, 60, 3, null, "test");
        return (await Tasks(db).AddAsync(tenant, task, default)).Id;
    }
}
