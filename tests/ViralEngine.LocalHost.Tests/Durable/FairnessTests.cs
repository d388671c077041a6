using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class FairnessTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    [Fact]
    public async Task A_long_queue_of_one_orchestration_does_not_hold_up_another()
    {
        var code = new DelegateCode()
            .Activity<int, int>("Slow", async (n, ct) =>
            {
                await Task.Delay(50, ct);
                return n;
            })
            .Orchestrator("Huge", context => Task.WhenAll(
                Enumerable.Range(0, 2000).Select(n => context.CallActivityAsync<int>("Slow", n))))
            .Orchestrator("Small", context => context.CallActivityAsync<int>("Slow", 1));
        await using var host = await DurableHost.StartAsync(
            database.ConnectionString, code, options => options.MaxConcurrentActivities = 16);
        var huge = await host.Client.ScheduleNewOrchestrationInstanceAsync("Huge");
        await host.UntilAsync(huge, found => found.IsRunning);

        for (var i = 0; i < 10; i++) await host.RunAsync("Small");

        Assert.Equal(OrchestrationRuntimeStatus.Running, (await host.Client.GetInstanceAsync(huge))!.RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await host.FinishedAsync(huge)).RuntimeStatus);
    }
}
