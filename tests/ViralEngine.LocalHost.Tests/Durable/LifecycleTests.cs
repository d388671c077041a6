using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class LifecycleTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private readonly DelegateCode code = new DelegateCode()
        .Activity<int, int>("Double", n => n * 2)
        .Orchestrator("Waiting", context => context.WaitForExternalEvent<string>("go"))
        .Orchestrator("ParentOfWaiting", context => context.CallSubOrchestratorAsync<string>(
            "Waiting",
            options: new SubOrchestrationOptions(instanceId: context.InstanceId + "-child")));

    [Fact]
    public async Task Begins_anew_with_a_short_history_and_the_events_nobody_took()
    {
        code.Orchestrator<int, string>("Loop", async (context, round) =>
        {
            await context.CallActivityAsync<int>("Double", round);
            if (round == 0) await context.WaitForExternalEvent<object>("begin");
            if (round < 20)
            {
                context.ContinueAsNew(round + 1);
                return "";
            }

            return $"{await context.WaitForExternalEvent<string>("x")}{await context.WaitForExternalEvent<string>("y")}"
                + await context.WaitForExternalEvent<string>("x");
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Loop", 0);

        await host.Client.RaiseEventAsync(id, "x", "1");
        await host.Client.RaiseEventAsync(id, "y", "2");
        await host.Client.RaiseEventAsync(id, "x", "3");
        await host.Client.RaiseEventAsync(id, "begin");
        var finished = await host.FinishedAsync(id);

        Assert.Equal("123", finished.ReadOutputAs<string>());
        Assert.InRange(
            await database.ScalarAsync<long>(
                "SELECT sum(event_count) FROM local_durable.history WHERE instance_id = $1", id),
            1,
            20);
    }

    [Fact]
    public async Task Drops_the_events_nobody_took_when_told_to()
    {
        code.Orchestrator<int, string>("Forgetful", async (context, round) =>
        {
            if (round == 0)
            {
                await context.WaitForExternalEvent<object>("begin");
                context.ContinueAsNew(1, preserveUnprocessedEvents: false);
                return "";
            }

            context.SetCustomStatus("second");
            return await context.WaitForExternalEvent<string>("x");
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Forgetful", 0);
        await host.Client.RaiseEventAsync(id, "x", "old");
        await host.Client.RaiseEventAsync(id, "begin");
        await host.UntilAsync(id, found => found.ReadCustomStatusAs<string>() == "second");

        await host.Client.RaiseEventAsync(id, "x", "new");

        Assert.Equal("new", (await host.FinishedAsync(id)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Terminates_with_an_output_and_takes_sub_orchestrations_along_when_asked()
    {
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("ParentOfWaiting");
        await host.UntilAsync(id, found => found.IsRunning);

        await host.Client.TerminateInstanceAsync(id, new TerminateInstanceOptions("enough", Recursive: true));

        var parent = await host.FinishedAsync(id);
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, parent.RuntimeStatus);
        Assert.Equal("enough", parent.ReadOutputAs<string>());
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await host.FinishedAsync(id + "-child")).RuntimeStatus);
    }

    [Fact]
    public async Task Tells_a_parent_that_its_sub_orchestration_was_terminated()
    {
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("ParentOfWaiting");
        await host.UntilAsync(id, found => found.IsRunning);

        await host.Client.TerminateInstanceAsync(id + "-child");

        var parent = await host.FinishedAsync(id);
        Assert.Equal(OrchestrationRuntimeStatus.Failed, parent.RuntimeStatus);
        Assert.Contains("was terminated", parent.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Does_nothing_while_suspended_and_everything_once_resumed()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        code.Activity<int, int>("Slow", async (n, ct) =>
        {
            await release.Task.WaitAsync(ct);
            return n;
        });
        code.Orchestrator("Suspendable", async context =>
        {
            var slow = await context.CallActivityAsync<int>("Slow", 7);
            var raised = await context.WaitForExternalEvent<string>("go");
            await context.CreateTimer(TimeSpan.FromMilliseconds(10), CancellationToken.None);
            return $"{slow} {raised}";
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Suspendable");
        await host.UntilAsync(id, found => found.IsRunning);
        await host.Client.SuspendInstanceAsync(id, "wait");
        await host.UntilAsync(id, found => found.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);

        release.SetResult();
        await host.Client.RaiseEventAsync(id, "go", "now");
        await host.UntilAsync(id, _ => database.ScalarAsync<long>(
            "SELECT count(*) FROM local_durable.inbox WHERE instance_id = $1", id).Result == 2);
        var suspended = await host.Client.GetInstanceAsync(id);
        await host.Client.ResumeInstanceAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Suspended, suspended!.RuntimeStatus);
        Assert.Equal("7 now", (await host.FinishedAsync(id)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Runs_an_activity_that_nobody_awaits_and_discards_its_result()
    {
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        code.Activity<int, int>("Signal", n =>
        {
            ran.TrySetResult();
            return n;
        });
        code.Orchestrator("Careless", context =>
        {
            _ = context.CallActivityAsync<int>("Signal", 1);
            return Task.CompletedTask;
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Careless");
        await ran.Task.WaitAsync(DurableHost.Patience);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, finished.RuntimeStatus);
    }
}
