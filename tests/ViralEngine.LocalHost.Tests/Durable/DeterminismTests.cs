using System.Collections.Concurrent;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalHost.Tests.Durable;

/// <summary>Each step replays the history by the worker's own SDK.</summary>
public sealed class DeterminismTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private const string NonDeterministic = "DurableTask.Core.Exceptions.NonDeterministicOrchestrationException";

    private readonly DelegateCode code = new DelegateCode()
        .Activity<int, int>("Double", n => n * 2)
        .Activity<int, int>("Halve", n => n / 2);

    [Fact]
    public async Task Replays_with_the_same_times_and_guids_and_logs_once()
    {
        var logs = new Recorder();
        var code = new DelegateCode(logs).Activity<int, int>("Double", n => n * 2);
        var seen = new ConcurrentBag<string>();
        code.Orchestrator("Replayed", async context =>
        {
            var log = context.CreateReplaySafeLogger<DeterminismTests>();
            seen.Add($"0 {context.CurrentUtcDateTime:o} {context.NewGuid()} {context.NewGuid()}");
            log.LogInformation("first");
            await context.CallActivityAsync<int>("Double", 1);
            seen.Add($"1 {context.CurrentUtcDateTime:o} {context.NewGuid()}");
            log.LogInformation("second");
            await context.CreateTimer(TimeSpan.FromMilliseconds(5), CancellationToken.None);
            log.LogInformation("third");
            return context.IsReplaying;
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        var finished = await host.RunAsync("Replayed");

        Assert.False(finished.ReadOutputAs<bool>());
        Assert.Equal(5, seen.Count);
        Assert.Equal(2, seen.Distinct().Count());
        Assert.Equal(["first", "second", "third"], logs.Lines);
    }

    [Theory]
    [InlineData("other name")]
    [InlineData("other kind")]
    [InlineData("one more before")]
    [InlineData("one less")]
    [InlineData("one less at the end")]
    public async Task Fails_an_instance_whose_code_no_longer_agrees_with_its_history(string change)
    {
        var changed = false;
        code.Orchestrator("Changing", async context =>
        {
            switch (changed ? change : "")
            {
                case "other name":
                    await context.CallActivityAsync<int>("Halve", 1);
                    await context.CallActivityAsync<int>("Halve", 1);
                    break;
                case "other kind":
                    await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                    await context.CallActivityAsync<int>("Halve", 1);
                    break;
                case "one more before":
                    await context.CallActivityAsync<int>("Double", 1);
                    await context.CallActivityAsync<int>("Double", 1);
                    await context.CallActivityAsync<int>("Halve", 1);
                    break;
                case "one less":
                    await context.CallActivityAsync<int>("Halve", 1);
                    break;
                case "one less at the end":
                    await context.CallActivityAsync<int>("Double", 1);
                    break;
                default:
                    await context.CallActivityAsync<int>("Double", 1);
                    await context.CallActivityAsync<int>("Halve", 1);
                    break;
            }

            context.SetCustomStatus("waiting");
            await context.WaitForExternalEvent<object>("go");
            await context.WaitForExternalEvent<object>("never");
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Changing");
        await host.UntilAsync(id, found => found.SerializedCustomStatus is not null);

        changed = true;
        await host.Client.RaiseEventAsync(id, "go");
        var finished = await host.FinishedAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, finished.RuntimeStatus);
        Assert.Equal(NonDeterministic, finished.FailureDetails!.ErrorType);
        Assert.Contains(
            "Non-Deterministic workflow detected", finished.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    private sealed class Recorder : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) =>
            categoryName.Contains(nameof(DeterminismTests), StringComparison.Ordinal)
                ? this
                : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
