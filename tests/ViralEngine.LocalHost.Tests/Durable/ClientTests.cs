using System.Diagnostics;
using DurableTask.Core.Exceptions;
using Grpc.Core;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class ClientTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private readonly DelegateCode code = new DelegateCode()
        .Activity<int, int>("Double", n => n * 2)
        .Orchestrator<int, int>("Quick", (context, n) => context.CallActivityAsync<int>("Double", n))
        .Orchestrator("Waiting", context => context.WaitForExternalEvent<string>("go"));

    [Fact]
    public async Task Starts_an_id_once_however_many_ask_at_the_same_time()
    {
        await using var host = await StartAsync();
        var options = new StartOrchestrationOptions(Guid.NewGuid().ToString("N"));

        var starts = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
            await Record.ExceptionAsync(() => host.Client.ScheduleNewOrchestrationInstanceAsync("Waiting", options))));

        Assert.Single(starts, exception => exception is null);
        Assert.Equal(19, starts.Count(exception => exception is OrchestrationAlreadyExistsException));
    }

    [Fact]
    public async Task Runs_a_finished_instance_again_unless_its_status_refuses()
    {
        await using var host = await StartAsync();
        var options = new StartOrchestrationOptions((await host.RunAsync("Quick", 1)).InstanceId);

        await host.Client.ScheduleNewOrchestrationInstanceAsync("Quick", 21, options);
        var again = await host.FinishedAsync(options.InstanceId!);
        var refused = await Record.ExceptionAsync(() => host.Client.ScheduleNewOrchestrationInstanceAsync(
            "Quick",
            3,
            options.WithDedupeStatuses(OrchestrationRuntimeStatus.Completed)));

        Assert.Equal(42, again.ReadOutputAs<int>());
        Assert.IsType<OrchestrationAlreadyExistsException>(refused);
        Assert.Equal(1L, await database.ScalarAsync<long>(
            "SELECT count(DISTINCT execution_id) FROM local_durable.history WHERE instance_id = $1",
            options.InstanceId!));
    }

    [Fact]
    public async Task Restarts_one_instance_over_and_over_as_soon_as_it_has_finished()
    {
        await using var host = await StartAsync();
        var options = new StartOrchestrationOptions(Guid.NewGuid().ToString("N"));

        for (var i = 0; i < 50; i++)
        {
            await host.Client.ScheduleNewOrchestrationInstanceAsync("Quick", i, options);

            Assert.Equal(i * 2, (await host.FinishedAsync(options.InstanceId!)).ReadOutputAs<int>());
        }
    }

    [Fact]
    public async Task Does_not_start_before_its_time()
    {
        await using var host = await StartAsync();
        var startAt = DateTimeOffset.UtcNow.AddMilliseconds(700);

        var later = await host.Client.ScheduleNewOrchestrationInstanceAsync(
            "Quick", 1, new StartOrchestrationOptions(null, startAt.AddHours(1)));
        var soon = await host.Client.ScheduleNewOrchestrationInstanceAsync(
            "Quick", 1, new StartOrchestrationOptions(null, startAt));
        var finished = await host.FinishedAsync(soon);
        var pending = await host.Client.GetInstanceAsync(later);

        Assert.Equal(OrchestrationRuntimeStatus.Pending, pending!.RuntimeStatus);
        Assert.True(finished.LastUpdatedAt >= startAt.AddMilliseconds(-1));
    }

    [Fact]
    public async Task Says_that_an_instance_does_not_exist()
    {
        await using var host = await StartAsync();

        Assert.Null(await host.Client.GetInstanceAsync("nobody"));
        var waiting = await Assert.ThrowsAsync<RpcException>(
            () => host.Client.WaitForInstanceCompletionAsync("nobody"));
        Assert.Equal(StatusCode.NotFound, waiting.StatusCode);
        Assert.Equal(0, (await host.Client.PurgeInstanceAsync("nobody")).PurgedInstanceCount);
    }

    [Fact]
    public async Task Lists_page_by_page_what_the_query_admits()
    {
        await using var host = await StartAsync();
        var prefix = Guid.NewGuid().ToString("N");
        for (var i = 0; i < 7; i++) await host.RunAsync("Quick", i, $"{prefix}-{i}");
        var query = new OrchestrationQuery(
            InstanceIdPrefix: prefix,
            PageSize: 3,
            FetchInputsAndOutputs: true,
            Statuses: [OrchestrationRuntimeStatus.Completed]);

        var pages = new List<int>();
        var inputs = new List<int>();
        await foreach (var page in host.Client.GetAllInstancesAsync(query).AsPages())
        {
            pages.Add(page.Values.Count);
            inputs.AddRange(page.Values.Select(found => found.ReadInputAs<int>()));
        }

        Assert.Equal([3, 3, 1], pages);
        Assert.Equal(Enumerable.Range(0, 7), inputs);
    }

    [Fact]
    public async Task Purges_what_has_finished_and_nothing_else()
    {
        await using var host = await StartAsync();
        code.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>(
            "Quick", 1, new SubOrchestrationOptions(instanceId: context.InstanceId + "-child")));
        var parent = await host.RunAsync("Parent");
        var running = await host.Client.ScheduleNewOrchestrationInstanceAsync("Waiting");
        var begun = DateTimeOffset.UtcNow;
        for (var i = 0; i < 3; i++) await host.RunAsync("Quick", i);

        var one = await host.Client.PurgeInstanceAsync(parent.InstanceId, new PurgeInstanceOptions(Recursive: true));
        var none = await host.Client.PurgeInstanceAsync(running);
        var byFilter = await host.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter(CreatedFrom: begun));

        Assert.Equal(2, one.PurgedInstanceCount);
        Assert.Equal(0, none.PurgedInstanceCount);
        Assert.Equal(3, byFilter.PurgedInstanceCount);
        Assert.Equal(0L, await database.ScalarAsync<long>(
            "SELECT count(*) FROM local_durable.history WHERE instance_id LIKE $1", parent.InstanceId + "%"));
    }

    [Fact]
    public async Task Carries_the_trace_from_the_caller_to_the_activity()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.DurableTask" or "caller",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("caller");
        code.Activity<int, string?>("Trace", _ => Activity.Current?.TraceId.ToString());
        code.Orchestrator("Traced", context => context.CallActivityAsync<string>("Trace", 1));
        await using var host = await StartAsync();
        using var call = source.StartActivity("request")!;

        var finished = await host.RunAsync("Traced");

        Assert.Equal(call.TraceId.ToString(), finished.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Installs_its_schema_many_times_over_and_answers_a_ping()
    {
        await using var host = await StartAsync();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            LocalDurableSchema.InstallAsync(database.ConnectionString, CancellationToken.None)));

        Assert.True(
            await host.Services.GetRequiredService<WorkerStore>().PingAsync(CancellationToken.None) > TimeSpan.Zero);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("somebody else's")]
    public async Task Serves_nobody_who_does_not_know_the_key_of_the_process(string? key)
    {
        await using var host = await StartAsync();
        var stranger = host.NewClient(key);
        var known = await host.Client.ScheduleNewOrchestrationInstanceAsync("Waiting");
        Func<Task>[] calls =
        [
            () => stranger.ScheduleNewOrchestrationInstanceAsync("Quick", 1),
            () => stranger.RaiseEventAsync(known, "go", "x"),
            () => stranger.TerminateInstanceAsync(known),
            () => stranger.SuspendInstanceAsync(known),
            () => stranger.ResumeInstanceAsync(known),
            () => stranger.GetInstanceAsync(known),
            () => stranger.WaitForInstanceStartAsync(known),
            () => stranger.WaitForInstanceCompletionAsync(known),
            () => stranger.PurgeInstanceAsync(known),
            () => stranger.GetAllInstancesAsync().AsPages().GetAsyncEnumerator().MoveNextAsync().AsTask(),
        ];

        foreach (var call in calls)
            Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        Assert.False((await host.Client.GetInstanceAsync(known))!.IsCompleted);
    }

    private Task<DurableHost> StartAsync() => DurableHost.StartAsync(database.ConnectionString, code);
}
