using System.Globalization;
using ViralEngine.LocalHost.Tests.Hosting;

namespace ViralEngine.LocalHost.Tests.Timers;

public sealed class TimerLeaseTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>, IAsyncLifetime
{
    private readonly TimerRuns runs = new();
    private readonly SteppedTime time = new(DateTimeOffset.Parse("2026-01-01T12:00:30Z", CultureInfo.InvariantCulture));

    public Task InitializeAsync() => database.ExecuteAsync("DELETE FROM local_durable.timers");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Runs_each_occurrence_in_one_of_several_processes()
    {
        await using var one = TimerProcess.Start(database, runs, time);
        await using var other = TimerProcess.Start(database, runs, time);

        const int occurrences = 10;
        for (var occurrence = 0; occurrence < occurrences; occurrence++)
        {
            await time.StepAsync(waiters: 2);
            await runs.NextAsync();
        }

        Assert.Equal(occurrences, runs.Count);
    }

    [Fact]
    public async Task Takes_over_what_a_dead_process_was_running()
    {
        await using (TimerProcess.Start(database, runs, time))
        {
            await time.StepAsync();
            await runs.NextAsync();
        }

        await database.ExecuteAsync($"""
            UPDATE local_durable.timers
            SET owner = gen_random_uuid(), locked_until = now() + interval '2 seconds', next_run = '2026-01-01 12:01Z'
            """);
        await using var process = TimerProcess.Start(database, runs, time);
        var takenOver = await runs.NextAsync();

        Assert.True(takenOver.IsPastDue);
        Assert.Equal(2, runs.Count);
    }

    [Fact]
    public async Task Holds_a_run_for_no_more_than_ten_seconds_at_a_time()
    {
        var held = new TaskCompletionSource();
        runs.Work = _ => held.Task;
        await using var process = TimerProcess.Start(database, runs, time);
        await time.StepAsync();
        await runs.NextAsync();

        var left = await database.QueryAsync<TimeSpan>(
            "SELECT locked_until - clock_timestamp() FROM local_durable.timers");
        held.SetResult();

        Assert.InRange(left, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Cancels_a_run_that_was_taken_away()
    {
        var cancelled = new TaskCompletionSource();
        runs.Work = async ct =>
        {
            await using var registration = ct.Register(cancelled.SetResult);
            await cancelled.Task;
            ct.ThrowIfCancellationRequested();
        };
        await using var process = TimerProcess.Start(database, runs, time);
        await time.StepAsync();
        await runs.NextAsync();

        await database.ExecuteAsync("UPDATE local_durable.timers SET owner = gen_random_uuid()");

        await cancelled.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Lets_a_run_end_before_the_process_stops()
    {
        var held = new TaskCompletionSource();
        runs.Work = _ => held.Task;
        var process = TimerProcess.Start(database, runs, time);
        await time.StepAsync();
        await runs.NextAsync();

        var stopping = process.DisposeAsync().AsTask();
        Assert.False(stopping.IsCompleted);
        held.SetResult();
        await stopping;

        Assert.True(await database.QueryAsync<bool>("""
            SELECT owner IS NULL AND next_run = '2026-01-01 12:02Z' AND last_run = '2026-01-01 12:01Z'
            FROM local_durable.timers
            """));
    }
}
