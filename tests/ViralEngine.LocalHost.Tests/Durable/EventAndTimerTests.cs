using Microsoft.DurableTask;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class EventAndTimerTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private readonly DelegateCode code = new DelegateCode().Activity<int, int>("Double", n => n * 2);

    [Fact]
    public async Task Keeps_events_that_come_before_anyone_waits_in_their_order()
    {
        code.Orchestrator("Gather", async context =>
        {
            await context.WaitForExternalEvent<object>("go");
            var seen = new List<int>();
            for (var i = 0; i < 5; i++) seen.Add(await context.WaitForExternalEvent<int>("NUMBER"));
            return seen;
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Gather");

        for (var i = 0; i < 5; i++) await host.Client.RaiseEventAsync(id, "number", i);
        await host.Client.RaiseEventAsync(id, "go");
        var finished = await host.FinishedAsync(id);

        Assert.Equal([0, 1, 2, 3, 4], finished.ReadOutputAs<List<int>>()!);
    }

    [Fact]
    public async Task Gives_an_event_to_the_one_who_waits_since_last_and_none_to_who_gave_up()
    {
        code.Orchestrator("Waiters", async context =>
        {
            using var givenUp = new CancellationTokenSource();
            var first = context.WaitForExternalEvent<string>("e");
            var second = context.WaitForExternalEvent<string>("e", givenUp.Token);
            var third = context.WaitForExternalEvent<string>("e");
            givenUp.Cancel();
            context.SetCustomStatus("waiting");
            return $"{await third} {second.IsCanceled} {await first}";
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Waiters");

        await host.Client.RaiseEventAsync(id, "e", "a");
        await host.Client.RaiseEventAsync(id, "e", "b");
        var finished = await host.FinishedAsync(id);

        Assert.Equal("a True b", finished.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Discards_events_for_instances_that_are_unknown_or_have_finished()
    {
        code.Orchestrator("Short", _ => Task.CompletedTask);
        code.Orchestrator("Long", context => context.WaitForExternalEvent<string>("e"));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var finished = await host.RunAsync("Short");

        await host.Client.RaiseEventAsync("nobody", "e", 1);
        await host.Client.RaiseEventAsync(finished.InstanceId, "e", "stale");
        await host.Client.ScheduleNewOrchestrationInstanceAsync(
            "Long", new StartOrchestrationOptions(finished.InstanceId));
        await host.Client.RaiseEventAsync(finished.InstanceId, "e", "fresh");

        Assert.Equal("fresh", (await host.FinishedAsync(finished.InstanceId)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Sends_events_from_one_orchestration_to_another()
    {
        code.Orchestrator("Receiver", context => context.WaitForExternalEvent<int>("value"));
        code.Orchestrator<string, object?>("Sender", (context, receiver) =>
        {
            context.SendEvent(receiver!, "value", 42);
            return Task.FromResult<object?>(null);
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var receiver = await host.Client.ScheduleNewOrchestrationInstanceAsync("Receiver");

        await host.RunAsync("Sender", receiver);

        Assert.Equal(42, (await host.FinishedAsync(receiver)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task Lets_a_timer_race_an_activity_and_cancels_the_loser()
    {
        code.Orchestrator("Race", async context =>
        {
            using var end = new CancellationTokenSource();
            var timer = context.CreateTimer(TimeSpan.FromHours(1), end.Token);
            var work = context.CallActivityAsync<int>("Double", 21);
            if (await Task.WhenAny(timer, work) == timer) return "late";
            end.Cancel();
            await context.CreateTimer(TimeSpan.FromMilliseconds(30), CancellationToken.None);
            return $"{await work} {timer.IsCanceled}";
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Race");

        Assert.Equal("42 True", finished.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Stops_waiting_for_an_event_when_its_time_is_over()
    {
        code.Orchestrator("Patient", async context =>
        {
            try
            {
                return await context.WaitForExternalEvent<string>("answer", TimeSpan.FromMilliseconds(50));
            }
            catch (TaskCanceledException)
            {
                return await context.WaitForExternalEvent<string>("answer", TimeSpan.FromHours(1));
            }
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Patient");
        await host.UntilAsync(id, found => found.LastUpdatedAt - found.CreatedAt > TimeSpan.FromMilliseconds(50));

        await host.Client.RaiseEventAsync(id, "answer", "at last");

        Assert.Equal("at last", (await host.FinishedAsync(id)).ReadOutputAs<string>());
    }
}
