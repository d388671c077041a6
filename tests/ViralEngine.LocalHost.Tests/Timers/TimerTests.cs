using System.Globalization;
using ViralEngine.LocalHost.Tests.Hosting;
using ViralEngine.Testing;

namespace ViralEngine.LocalHost.Tests.Timers;

public sealed class TimerTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = DateTimeOffset.Parse(
        "2026-01-01T12:00:30Z", CultureInfo.InvariantCulture);

    private readonly TimerRuns runs = new();
    private readonly SteppedTime time = new(Noon);

    public Task InitializeAsync() => database.ExecuteAsync("DELETE FROM local_durable.timers");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Runs_at_each_occurrence_and_tells_where_the_schedule_stands()
    {
        await using var process = TimerProcess.Start(database, runs, time);

        await time.StepAsync();
        var first = await runs.NextAsync();
        await time.StepAsync();
        var second = await runs.NextAsync();

        Assert.False(first.IsPastDue);
        Assert.Equal(default, first.ScheduleStatus!.Last);
        Assert.Equal(Noon.UtcDateTime.AddSeconds(30), first.ScheduleStatus.Next);
        Assert.False(second.IsPastDue);
        Assert.Equal(Noon.UtcDateTime.AddSeconds(30), second.ScheduleStatus!.Last);
        Assert.Equal(Noon.UtcDateTime.AddSeconds(90), second.ScheduleStatus.Next);
    }

    [Fact]
    public async Task A_run_that_a_process_with_a_wrong_clock_put_off_is_not_waited_for()
    {
        await using (TimerProcess.Start(database, runs, new SteppedTime(Noon.AddHours(1))))
            await Eventually.TrueAsync(
                async () => await database.QueryAsync<long>("SELECT count(*) FROM local_durable.timers") == 1,
                "the row");

        await using var process = TimerProcess.Start(database, runs, time);
        await time.StepAsync();
        await runs.NextAsync();

        Assert.Equal(Noon.AddSeconds(30), time.GetUtcNow());
    }

    [Fact]
    public async Task A_run_that_is_put_off_meanwhile_is_not_waited_for()
    {
        await using var process = TimerProcess.Start(database, runs, time);
        await time.StepAsync();
        await runs.NextAsync();
        await Eventually.TrueAsync(
            async () => await database.QueryAsync<bool>("SELECT last_run IS NOT NULL FROM local_durable.timers"),
            "the run to end");
        await database.ExecuteAsync("UPDATE local_durable.timers SET next_run = next_run + interval '1 hour'");

        while (runs.Count == 1 && time.GetUtcNow() < Noon.AddMinutes(10))
            await time.StepAsync();

        Assert.True(time.GetUtcNow() < Noon.AddMinutes(5), $"waited until {time.GetUtcNow()}");
    }

    [Fact]
    public async Task Waits_a_time_span_between_runs()
    {
        await using var process = TimerProcess.Start(database, runs, time, "00:30:00");

        while (runs.Count == 0 && time.GetUtcNow() < Noon.AddMinutes(30))
            await time.StepAsync();
        await runs.NextAsync();

        Assert.Equal(Noon.AddMinutes(30), time.GetUtcNow());
    }

    [Fact]
    public async Task Gives_no_status_to_schedules_under_a_minute()
    {
        await using var process = TimerProcess.Start(database, runs, time, "* * * * * *");

        await time.StepAsync();

        Assert.Null((await runs.NextAsync()).ScheduleStatus);
    }

    [Fact]
    public async Task Runs_at_start_when_asked_to()
    {
        await using var process = TimerProcess.Start(database, runs, time, "0 0 0 1 1 *", runOnStartup: true);

        Assert.False((await runs.NextAsync()).IsPastDue);
    }

    [Fact]
    public async Task Catches_up_once_on_what_was_missed_while_no_process_was_there()
    {
        await using (TimerProcess.Start(database, runs, time))
        {
            await time.StepAsync();
            await runs.NextAsync();
            await time.StepAsync();
            await runs.NextAsync();
        }

        time.Advance(TimeSpan.FromHours(1));
        await using var later = TimerProcess.Start(database, runs, time);
        var missed = await runs.NextAsync();

        Assert.True(missed.IsPastDue);
        Assert.Equal(Noon.UtcDateTime.AddSeconds(90), missed.ScheduleStatus!.Last);
        Assert.Equal(3, runs.Count);
    }

    [Fact]
    public async Task Takes_up_its_schedule_again_when_its_row_was_removed()
    {
        await using var process = TimerProcess.Start(database, runs, time);
        await time.StepAsync();
        await runs.NextAsync();

        await database.ExecuteAsync("DELETE FROM local_durable.timers");
        while (runs.Count < 2)
            await time.StepAsync();

        Assert.False((await runs.NextAsync()).IsPastDue);
    }
}
