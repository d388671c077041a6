using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class OrchestrationTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private readonly DelegateCode code = new DelegateCode()
        .Activity<string, string>("Greet", name => $"Hello {name}")
        .Activity<string, string>("Fail", message => throw new InvalidDataException(message))
        .Activity<int, int>("Double", n => n * 2);

    [Fact]
    public async Task Runs_activities_one_after_another()
    {
        code.Orchestrator<string, string>("Greetings", async (context, name) =>
        {
            var first = await context.CallActivityAsync<string>("Greet", name);
            var second = await context.CallActivityAsync<string>("greet", first);
            return second;
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Greetings", "Ada");

        Assert.Equal(OrchestrationRuntimeStatus.Completed, finished.RuntimeStatus);
        Assert.Equal("Hello Hello Ada", finished.ReadOutputAs<string>());
        Assert.Equal("Ada", finished.ReadInputAs<string>());
    }

    [Fact]
    public async Task Fans_out_to_a_thousand_activities_and_gathers_their_results()
    {
        code.Orchestrator("FanOut", async context =>
        {
            var calls = Enumerable.Range(0, 1000).Select(n => context.CallActivityAsync<int>("Double", n));
            return (await Task.WhenAll(calls)).Sum();
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("FanOut");

        Assert.Equal(999_000, finished.ReadOutputAs<int>());
    }

    [Fact]
    public async Task Fails_with_the_details_of_what_its_activity_threw()
    {
        code.Orchestrator("Failing", context => context.CallActivityAsync<string>("Fail", "no such row"));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Failing");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, finished.RuntimeStatus);
        Assert.Equal(typeof(TaskFailedException).FullName, finished.FailureDetails!.ErrorType);
        Assert.Equal(
            "Task 'Fail' (#0) failed with an unhandled exception: no such row", finished.FailureDetails.ErrorMessage);
        Assert.True(finished.FailureDetails.InnerFailure!.IsCausedBy<InvalidDataException>());
    }

    [Fact]
    public async Task Lets_the_orchestrator_catch_a_failure()
    {
        code.Orchestrator("Catching", async context =>
        {
            try
            {
                return await context.CallActivityAsync<string>("Fail", "bad");
            }
            catch (TaskFailedException failed) when (failed.FailureDetails.IsCausedBy<InvalidDataException>())
            {
                return await context.CallActivityAsync<string>("Greet", failed.FailureDetails.ErrorMessage);
            }
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Catching");

        Assert.Equal("Hello bad", finished.ReadOutputAs<string>());
    }

    [Theory]
    [InlineData("Missing", "The function 'Missing' doesn't exist, is disabled, or is not an orchestrator function")]
    [InlineData("CallsMissing", "The function 'Nothing' doesn't exist, is disabled, or is not an activity function")]
    public async Task Names_what_the_app_does_not_have(string name, string message)
    {
        code.Orchestrator("CallsMissing", context => context.CallActivityAsync("Nothing"));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync(name);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, finished.RuntimeStatus);
        Assert.Contains(message, finished.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }
}
