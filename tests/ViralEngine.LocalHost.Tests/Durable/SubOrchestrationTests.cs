using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class SubOrchestrationTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private readonly DelegateCode code = new DelegateCode().Activity<int, int>("Double", n => n * 2);

    [Fact]
    public async Task Returns_what_the_sub_orchestration_returned()
    {
        code.Orchestrator<int, string>("Child", async (context, n) =>
            $"{context.Parent!.Name}/{await context.CallActivityAsync<int>("Double", n)}");
        code.Orchestrator("Parent", async context =>
        {
            var calls = Enumerable.Range(1, 3).Select(n => context.CallSubOrchestratorAsync<string>("Child", n));
            return string.Join(' ', await Task.WhenAll(calls));
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Parent");

        Assert.Equal("Parent/2 Parent/4 Parent/6", finished.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Tells_the_parent_of_a_failure()
    {
        code.Orchestrator("BadChild", context => throw new InvalidDataException("spoilt"));
        code.Orchestrator("Parent", async context =>
        {
            try
            {
                await context.CallSubOrchestratorAsync("BadChild");
                return "fine";
            }
            catch (TaskFailedException failed)
            {
                return $"{failed.TaskName}: {failed.FailureDetails.ErrorMessage}";
            }
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Parent");

        Assert.Equal("BadChild: spoilt", finished.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Tries_a_failed_sub_orchestration_again_under_its_own_id()
    {
        var id = Guid.NewGuid().ToString("N");
        var tries = 0;
        code.Activity<object, int>("Try", _ => ++tries < 3 ? throw new IOException("not yet") : tries);
        code.Orchestrator("Child", context => context.CallActivityAsync<int>("Try"));
        code.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>(
            "Child",
            options: new TaskOptions(new RetryPolicy(5, TimeSpan.FromMilliseconds(20))).WithInstanceId(id)));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Parent");

        Assert.Equal(3, finished.ReadOutputAs<int>());
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await host.Client.GetInstanceAsync(id))!.RuntimeStatus);
    }

    [Fact]
    public async Task Refuses_a_sub_orchestration_whose_id_is_running()
    {
        var id = Guid.NewGuid().ToString("N");
        code.Orchestrator("Waiting", context => context.WaitForExternalEvent<int>("never"));
        code.Orchestrator("Parent", context =>
            context.CallSubOrchestratorAsync("Waiting", options: new SubOrchestrationOptions(instanceId: id)));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        await host.Client.ScheduleNewOrchestrationInstanceAsync("Waiting", new StartOrchestrationOptions(id));

        var finished = await host.RunAsync("Parent");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, finished.RuntimeStatus);
        Assert.Contains("exists already", finished.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }
}
