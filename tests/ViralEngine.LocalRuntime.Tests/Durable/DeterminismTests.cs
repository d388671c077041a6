using System.Collections.Concurrent;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Tests.Durable;

/// <summary>Every engine here keeps nothing in memory, so that each step replays the history.</summary>
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
        await using var host = await StartAsync(logs);

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
    [InlineData("ends early")]
    public async Task Fails_an_instance_whose_code_no_longer_agrees_with_its_history(string change)
    {
        var changed = false;
        code.Orchestrator("Changing", async context =>
        {
            if (!changed)
            {
                await context.CallActivityAsync<int>("Double", 1);
            }
            else if (change == "other name")
            {
                await context.CallActivityAsync<int>("Halve", 1);
            }
            else if (change == "other kind")
            {
                await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            }
            else if (change == "one more before")
            {
                await Task.WhenAll(
                    context.CallActivityAsync<int>("Double", 1),
                    context.CallActivityAsync<int>("Halve", 1));
            }
            else if (change == "ends early")
            {
                await context.CallActivityAsync<int>("Double", 1);
                return;
            }

            context.SetCustomStatus("waiting");
            await context.WaitForExternalEvent<object>("go");
            await context.CallActivityAsync<int>("Double", 2);
            await context.WaitForExternalEvent<object>("never");
        });
        await using var host = await StartAsync();
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Changing");
        await host.UntilAsync(id, found => found.SerializedCustomStatus is not null);

        changed = true;
        await host.Client.RaiseEventAsync(id, "go");
        var finished = await host.FinishedAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, finished.RuntimeStatus);
        Assert.Equal(NonDeterministic, finished.FailureDetails!.ErrorType);
        Assert.Contains("Non-deterministic orchestration 'Changing'", finished.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_to_await_what_is_not_durable()
    {
        var never = new TaskCompletionSource();
        code.Orchestrator("Delays", _ => Task.Delay(5));
        code.Orchestrator("Forever", _ => never.Task);
        code.Orchestrator("Elsewhere", context => Task.Run(() => context.CallActivityAsync<int>("Double", 1)));
        code.Orchestrator("Mixed", async context =>
        {
            await Task.WhenAny(Task.Delay(20), context.WaitForExternalEvent<object>("never"));
            await context.CallActivityAsync<int>("Double", 1);
        });
        await using var host = await DurableHost.StartAsync(database.ConnectionString, code);

        foreach (var name in new[] { "Delays", "Forever", "Elsewhere", "Mixed" })
        {
            var finished = await host.RunAsync(name);

            Assert.Equal(OrchestrationRuntimeStatus.Failed, finished.RuntimeStatus);
            Assert.Contains("is not durable", finished.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
        }
    }

    private Task<DurableHost> StartAsync(ILoggerProvider? logs = null) => DurableHost.StartAsync(
        database.ConnectionString,
        code,
        options => options.CachedOrchestrations = 0,
        logs);

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
