using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class RetryTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private readonly DelegateCode code = new();
    private int tries;

    [Fact]
    public async Task Waits_longer_from_attempt_to_attempt()
    {
        code.Activity<int, int>("Flaky", _ => ++tries < 4 ? throw new IOException($"try {tries}") : tries);
        code.Orchestrator("Retrying", async context =>
        {
            var begun = context.CurrentUtcDateTime;
            var policy = new RetryPolicy(4, TimeSpan.FromMilliseconds(50), 2);
            await context.CallActivityAsync<int>("Flaky", 0, TaskOptions.FromRetryPolicy(policy));
            return (context.CurrentUtcDateTime - begun).TotalMilliseconds;
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Retrying");

        Assert.Equal(4, tries);
        Assert.True(finished.ReadOutputAs<double>() >= 350, "50 + 100 + 200 ms lie between four attempts.");
    }

    [Fact]
    public async Task Gives_up_after_the_last_attempt_and_on_what_is_not_worth_another()
    {
        code.Activity<string, int>("Flaky", message =>
        {
            tries++;
            throw new IOException(message);
        });
        code.Orchestrator<string, int>("Retrying", (context, message) => context.CallActivityAsync<int>(
            "Flaky",
            message,
            new TaskOptions(new RetryPolicy(3, TimeSpan.FromMilliseconds(5))
            {
                HandleFailure = failure => failure.ErrorMessage != "final",
            })));
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var lasting = await host.RunAsync("Retrying", "again");
        var triesOfLasting = tries;
        var final = await host.RunAsync("Retrying", "final");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, lasting.RuntimeStatus);
        Assert.Equal(3, triesOfLasting);
        Assert.Equal(OrchestrationRuntimeStatus.Failed, final.RuntimeStatus);
        Assert.Equal(4, tries);
    }

    [Fact]
    public async Task Asks_the_handler_before_each_retry()
    {
        code.Activity<int, int>("Flaky", _ => throw new IOException($"try {++tries}"));
        code.Orchestrator("Retrying", async context =>
        {
            var seen = new List<string>();
            AsyncRetryHandler handler = async retry =>
            {
                seen.Add($"{retry.LastAttemptNumber}:{retry.LastFailure.ErrorMessage}");
                await retry.OrchestrationContext.CreateTimer(TimeSpan.FromMilliseconds(5), CancellationToken.None);
                return retry.LastAttemptNumber < 3;
            };
            try
            {
                await context.CallActivityAsync<int>("Flaky", 0, TaskOptions.FromRetryHandler(handler));
            }
            catch (TaskFailedException)
            {
                seen.Add("gave up");
            }

            return seen;
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Retrying");

        Assert.Equal(["1:try 1", "2:try 2", "3:try 3", "gave up"], finished.ReadOutputAs<List<string>>()!);
    }
}
