using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Events;
using ViralEngine.Core.Lanes;
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

        var claims = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => ClaimAsync(TaskLeaseOptions.Default)));

        Assert.Single(claims.SelectMany(claim => claim.Tasks), task => task.Attempt.TaskId == id);
    }

    [Fact]
    public async Task A_late_worker_whose_lease_was_taken_changes_nothing()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var store = Leases();
        var late = await TakeAsync(id, Short);
        var current = await TakeAsync(id, TaskLeaseOptions.Default);

        var completed = await store.CompleteAsync(tenant, id, late.Attempt, Answer("late"));
        var failed = await store.FailAsync(
            tenant, id, late.Attempt, new TaskError("internal", "late", null, 1), 0, null, null, default);
        var progressed = await store.ReportProgressAsync(tenant, id, late.Attempt, 0.5, null, default);
        var released = await store.ReleaseAsync(tenant, id, late.Attempt, 0, null, default);
        var accepted = await store.CompleteAsync(tenant, id, current.Attempt, Answer("current"));

        Assert.Equal((false, false, false, 0, true), (completed, failed, progressed, released, accepted));
        Assert.Equal("current", (await Tasks(db).FindAsync(tenant, id, default))!.Result);
        Assert.Equal(
            ["task.created", "task.started", "task.started", "task.completed"],
            (await EventsAsync(db, id)).Select(happened => happened.Type));
    }

    [Fact]
    public async Task Of_a_claim_that_was_long_on_its_way_only_what_is_still_held_is_called_for()
    {
        var (mine, lost) = (await AddAsync(), await AddAsync());
        var late = await TakeAsync(lost, Short);
        await TakeAsync(lost, TaskLeaseOptions.Default);
        var time = new FakeTimeProvider();
        var keeper = new LeaseKeeper(
            postgres.DataSource, TaskLeaseOptions.Default, time, NullLogger<LeaseKeeper>.Instance);
        var current = await TakeAsync(mine, TaskLeaseOptions.Default);
        var since = time.GetTimestamp();

        time.Advance(TaskLeaseOptions.Default.Lease);
        using var gone = keeper.Hold(tenant, lost, late.Attempt, since, CancellationToken.None);
        using var held = keeper.Hold(tenant, mine, current.Attempt, since, CancellationToken.None);
        var (goneConfirmed, heldConfirmed) = (gone.Since.ConfirmAsync(gone.Ended), held.Since.ConfirmAsync(held.Ended));
        var waited = !goneConfirmed.IsCompleted && !heldConfirmed.IsCompleted;
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return Task.FromResult(goneConfirmed.IsCompleted && heldConfirmed.IsCompleted);
            },
            "the leases to be renewed or lost");

        Assert.Equal((true, LeaseEnd.Lost, LeaseEnd.None), (waited, gone.End, held.End));
        Assert.Equal((true, true), (goneConfirmed.IsCanceled, heldConfirmed.IsCompletedSuccessfully));
    }

    [Fact]
    public async Task A_late_answer_is_kept_as_long_as_nobody_else_has_taken_the_task_up()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var attempt = await TakeAsync(id, Short);
        await Eventually.TrueAsync(
            async () => (await Claims(Short).FreeLapsedAsync(default)).Freed > 0, "the lease to lapse");
        var waiting = (await Tasks(db).FindAsync(tenant, id, default))!.Status;

        var kept = await Leases().CompleteAsync(tenant, id, attempt.Attempt, Answer("late"));
        var again = await Leases().CompleteAsync(tenant, id, attempt.Attempt, Answer("twice"));

        Assert.Equal(AgentTaskStatus.Pending, waiting);
        Assert.Equal((true, false), (kept, again));
        Assert.Equal("late", (await Tasks(db).FindAsync(tenant, id, default))!.Result);
        Assert.DoesNotContain((await ClaimAsync(Short)).Tasks, task => task.Attempt.TaskId == id);
    }

    [Fact]
    public async Task An_ended_task_is_not_taken_up_again()
    {
        var id = await AddAsync();
        var attempt = await TakeAsync(id, Short);
        await Leases().CompleteAsync(tenant, id, attempt.Attempt, Answer("done"));

        await Claims(Short).FreeLapsedAsync(default);

        Assert.DoesNotContain((await ClaimAsync(Short)).Tasks, task => task.Attempt.TaskId == id);
    }

    [Fact]
    public async Task A_failed_attempt_waits_for_its_time()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var attempt = await TakeAsync(id, TaskLeaseOptions.Default);

        await Leases().FailAsync(
            tenant, id, attempt.Attempt, new TaskError("unavailable", "Away.", "echo", 1), 0, null,
            TimeSpan.FromHours(1), default);
        var claim = await ClaimAsync(TaskLeaseOptions.Default);
        var task = (await Tasks(db).FindAsync(tenant, id, default))!;

        Assert.DoesNotContain(claim.Tasks, claimed => claimed.Attempt.TaskId == id);
        Assert.InRange(claim.NextIn!.Value, TimeSpan.Zero, TimeSpan.FromHours(1));
        Assert.Equal(AgentTaskStatus.Pending, task.Status);
        Assert.Equal("Away.", task.Error!.Message);
        Assert.True(task.NextAttemptAt > DateTime.UtcNow.AddMinutes(50));
    }

    [Fact]
    public async Task A_cancelled_task_whose_worker_died_ends_as_cancelled()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        await TakeAsync(id, Short);
        await Tasks(db).CancelAsync(tenant, id, "test", default);

        await Eventually.TrueAsync(
            async () =>
            {
                await Claims(Short).FreeLapsedAsync(default);
                return (await Tasks(db).FindAsync(tenant, id, default))!.Status != AgentTaskStatus.InProgress;
            },
            "the lease to lapse");

        Assert.Equal(AgentTaskStatus.Cancelled, (await Tasks(db).FindAsync(tenant, id, default))!.Status);
        Assert.Equal("task.cancelled", (await EventsAsync(db, id))[^1].Type);
    }

    [Fact]
    public async Task Each_of_many_readers_at_once_gets_its_own_task()
    {
        var ids = new[] { await AddAsync(), await AddAsync(), await AddAsync(), Guid.CreateVersion7() };
        var stranger = new TenantId(Guid.CreateVersion7());
        await using var db = postgres.NewDb();
        var tasks = Tasks(db);

        var own = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => tasks.FindAsync(tenant, ids[i % 4], default)));
        var foreign = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
            (await tasks.FindAsync(stranger, ids[i % 4], default), await tasks.FindAsync(
                tenant, ids[i % 3], default))));

        Assert.Equal(
            Enumerable.Range(0, 200).Select(i => i % 4 == 3 ? (Guid?)null : ids[i % 4]), own.Select(task => task?.Id));
        Assert.All(foreign, read => Assert.Null(read.Item1));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => ids[i % 3]), foreign.Select(read => read.Item2!.Id));
    }

    [Fact]
    public async Task What_was_held_back_before_its_call_is_no_attempt_and_shows_what_it_waits_for()
    {
        var id = await AddAsync();
        await using var db = postgres.NewDb();
        var first = await TakeAsync(id, TaskLeaseOptions.Default);
        await Leases().HoldAsync(tenant, id, first.Attempt, 0, "provider", TimeSpan.Zero, default);
        var held = (await Tasks(db).FindAsync(tenant, id, default))!;

        var second = await TakeAsync(id, TaskLeaseOptions.Default);
        await Leases().HoldAsync(tenant, id, second.Attempt, 0, "provider", TimeSpan.Zero, default);
        var third = await TakeAsync(id, TaskLeaseOptions.Default);
        await Leases().CompleteAsync(tenant, id, third.Attempt, Answer("done"));
        var ended = (await Tasks(db).FindAsync(tenant, id, default))!;

        Assert.Equal((AgentTaskStatus.Pending, 0, "provider"), (held.Status, held.Attempt, held.WaitingFor));
        Assert.Equal((1, 1, 1), (first.Number, second.Number, third.Number));
        Assert.Equal(
            (AgentTaskStatus.Completed, 1, 0, null),
            (ended.Status, ended.Attempt, ended.FailedAttempts, ended.WaitingFor));
        Assert.Equal(
            ["task.created", "task.started", "task.waiting", "task.completed"],
            (await EventsAsync(db, id)).Select(happened => happened.Type));
    }

    [Fact]
    public async Task The_sweep_sees_what_waits_and_what_is_due_soon()
    {
        await using var db = postgres.NewDb();
        var before = await new TaskSweeper(db).LookAsync(TimeSpan.FromSeconds(10), default);

        await AddAsync();
        await AddAsync(scheduledAt: DateTime.UtcNow.AddSeconds(8));
        await AddAsync(scheduledAt: DateTime.UtcNow.AddSeconds(80));
        var after = await new TaskSweeper(db).LookAsync(TimeSpan.FromSeconds(10), default);

        Assert.Equal(2, after.Tasks - before.Tasks);
    }

    private TaskStore Tasks(Db db) => new(db, new TaskGroups(postgres.DataSource), TimeProvider.System);

    private TaskLeaseStore Leases() => new(postgres.DataSource, new TaskGroups(postgres.DataSource));

    private TaskClaimStore Claims(TaskLeaseOptions options) =>
        new(postgres.DataSource, options, TaskAdmission.Everything);

    private async Task<ClaimedTasks> ClaimAsync(TaskLeaseOptions options)
    {
        using var places = new CallSlots(Options.Create(new LanesOptions())).SetAside(1000);
        return await Claims(options).ClaimAsync(places, default);
    }

    private static TaskAnswer Answer(string text) => new(text, [text.Length], 0, "echo", null, null, null);

    private async Task<TaskAttempt> TakeAsync(Guid id, TaskLeaseOptions options) => await Eventually.GetAsync(
        async () =>
        {
            await Claims(options).FreeLapsedAsync(default);
            return (await ClaimAsync(options)).Tasks.FirstOrDefault(task => task.Attempt.TaskId == id)?.Attempt!;
        },
        attempt => attempt is not null,
        "the task to be free");

    private async Task<IReadOnlyList<Event>> EventsAsync(Db db, Guid id) =>
        (await new EventStore(db).ReadAsync(tenant, TaskStore.EventHead, id, 0, 100, default))!.Items;

    private async Task<Guid> AddAsync(DateTime? scheduledAt = null)
    {
        await using var db = postgres.NewDb();
        var task = new NewTask(
            Guid.CreateVersion7(), "echo", "test", JsonSerializer.Serialize(1), 5, [], null, 60, 3, scheduledAt,
            "test");
        return (await Tasks(db).AddAsync(tenant, task, default)).Id;
    }
}
