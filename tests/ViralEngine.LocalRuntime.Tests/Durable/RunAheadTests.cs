using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using ViralEngine.LocalRuntime.Durable;

namespace ViralEngine.LocalRuntime.Tests.Durable;

/// <summary>First activities that begin before the step that asked for them is stored.</summary>
public sealed class RunAheadTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private const int Long = 60_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    public async Task A_short_activity_is_stored_in_one_row_with_what_follows_and_replayed_from_it(int cached)
    {
        var code = new DelegateCode()
            .Activity<int, int>("Next", n => n + 1)
            .Orchestrator("Twice", async context =>
            {
                var one = await context.CallActivityAsync<int>("Next", 1);
                await context.CreateTimer(context.CurrentUtcDateTime.AddMilliseconds(10), CancellationToken.None);
                return await context.CallActivityAsync<int>("Next", one);
            });
        await using var host = await DurableHost.StartAsync(
            database.ConnectionString, code, options => (options.AheadMilliseconds, options.CachedOrchestrations) = (Long, cached));

        var finished = await host.RunAsync("Twice");

        Assert.Equal(3, finished.ReadOutputAs<int>());
        // Began, asked, began again, was answered, set the timer.
        Assert.Equal(5, await database.ScalarAsync<int>(
            "SELECT event_count FROM local_durable.history WHERE instance_id = $1 AND seq = 1", finished.InstanceId));
        Assert.Equal(0, await ActivitiesAsync(finished.InstanceId));
    }

    [Fact]
    public async Task An_activity_that_takes_its_time_finds_its_step_stored()
    {
        DelegateCode code = new();
        code.Activity<string, bool>("Slow", async (id, ct) =>
        {
            while (await ActivitiesAsync(id) == 0) await Task.Delay(10, ct);
            return await StepsAsync(id) == 1;
        }).Orchestrator("Patient", context => context.CallActivityAsync<bool>("Slow", context.InstanceId));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Patient");

        Assert.True(finished.ReadOutputAs<bool>());
        Assert.Equal(0, await ActivitiesAsync(finished.InstanceId));
    }

    [Theory]
    [InlineData("nothing else", false)]
    [InlineData("the time", true)]
    [InlineData("a GUID", true)]
    [InlineData("a retry policy", true)]
    [InlineData("a custom status", true)]
    [InlineData("a timer", true)]
    [InlineData("another activity", true)]
    public async Task Only_a_step_that_its_input_alone_decides_runs_ahead(string with, bool stored)
    {
        var code = new DelegateCode()
            .Activity<string, int>("Steps", (id, _) => StepsAsync(id))
            .Orchestrator("Ask", async context =>
            {
                TaskOptions? retry = null;
                List<Task> others = [];
                switch (with)
                {
                    case "the time": _ = context.CurrentUtcDateTime; break;
                    case "a GUID": _ = context.NewGuid(); break;
                    case "a retry policy": retry = TaskOptions.FromRetryPolicy(new RetryPolicy(2, TimeSpan.FromSeconds(1))); break;
                    case "a custom status": context.SetCustomStatus("busy"); break;
                    case "a timer": others.Add(context.CreateTimer(DateTime.UnixEpoch, CancellationToken.None)); break;
                    case "another activity": others.Add(context.CallActivityAsync<int>("Steps", context.InstanceId)); break;
                }

                var steps = await context.CallActivityAsync<int>("Steps", context.InstanceId, retry);
                await Task.WhenAll(others);
                return steps;
            });
        await using var host = await DurableHost.StartAsync(
            database.ConnectionString, code, options => options.AheadMilliseconds = Long);

        var finished = await host.RunAsync("Ask");

        Assert.Equal(stored, finished.ReadOutputAs<int>() > 0);
    }

    [Theory]
    [InlineData("event", OrchestrationRuntimeStatus.Completed)]
    [InlineData("suspend and resume", OrchestrationRuntimeStatus.Completed)]
    [InlineData("terminate", OrchestrationRuntimeStatus.Terminated)]
    public async Task What_arrives_while_an_activity_runs_ahead_is_dealt_with(string what, OrchestrationRuntimeStatus end)
    {
        DurableTaskClient? client = null;
        var code = new DelegateCode()
            .Activity<string, int>("Meddle", async (id, ct) =>
            {
                if (what == "event")
                    await client!.RaiseEventAsync(id, "go", 7, ct);
                else if (what == "terminate")
                    await client!.TerminateInstanceAsync(id, "enough", ct);
                else
                    await client!.SuspendInstanceAsync(id, "wait", ct);
                return 5;
            })
            .Orchestrator("Meddled", async context =>
            {
                var first = await context.CallActivityAsync<int>("Meddle", context.InstanceId);
                return first + await context.WaitForExternalEvent<int>("go");
            });
        await using var host = await DurableHost.StartAsync(
            database.ConnectionString, code, options => options.AheadMilliseconds = Long);
        client = host.Client;

        var id = await client.ScheduleNewOrchestrationInstanceAsync("Meddled");
        if (what == "suspend and resume")
        {
            await host.UntilAsync(id, found => found.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);
            await client.RaiseEventAsync(id, "go", 7);
            await client.ResumeInstanceAsync(id);
        }

        var finished = await host.FinishedAsync(id);

        Assert.Equal(end, finished.RuntimeStatus);
        if (end == OrchestrationRuntimeStatus.Completed) Assert.Equal(12, finished.ReadOutputAs<int>());
    }

    [Fact]
    public async Task What_a_dead_engine_ran_ahead_runs_again_elsewhere()
    {
        var runs = 0;
        DurableHost? dying = null;
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        DelegateCode Code(bool dies) => new DelegateCode()
            .Activity<int, int>("Work", async (n, _) =>
            {
                Interlocked.Increment(ref runs);
                if (dies)
                {
                    await dying!.CutAsync();
                    cut.TrySetResult();
                }

                return n;
            })
            .Orchestrator("Heirloom", context => context.CallActivityAsync<int>("Work", 9));
        void Short(DurableOptions options) => (options.LeaseSeconds, options.ShutdownSeconds, options.AheadMilliseconds) = (1, 0.2, Long);
        dying = await DurableHost.StartAsync(database.ConnectionString, Code(dies: true), Short);

        var id = await dying.Client.ScheduleNewOrchestrationInstanceAsync("Heirloom");
        await cut.Task.WaitAsync(DurableHost.Patience);
        Assert.Equal(0, await StepsAsync(id));
        await using var heir = await DurableHost.StartAsync(database.ConnectionString, Code(dies: false), Short);
        var finished = await heir.FinishedAsync(id);
        await dying.DisposeAsync();

        Assert.Equal(9, finished.ReadOutputAs<int>());
        Assert.Equal(2, runs);
    }

    private Task<int> StepsAsync(string id) =>
        database.ScalarAsync<int>("SELECT seq FROM local_durable.instances WHERE instance_id = $1", id);

    private async Task<int> ActivitiesAsync(string id) =>
        (int)await database.ScalarAsync<long>("SELECT count(*) FROM local_durable.activities WHERE instance_id = $1", id);
}
