using System.Collections.Concurrent;
using System.Diagnostics;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class RecoveryTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    [Fact]
    public async Task Two_engines_share_the_work()
    {
        var ran = new ConcurrentBag<string>();
        var bothWork = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        DelegateCode Code(string engine) => new DelegateCode()
            .Activity<int, int>("Work", async (n, ct) =>
            {
                ran.Add(engine);
                if (ran.Distinct().Count() == 2)
                    bothWork.TrySetResult();
                await bothWork.Task.WaitAsync(DurableHost.Patience, ct);
                return n;
            })
            .Orchestrator("Share", async context =>
                (await Task.WhenAll(Enumerable.Range(0, 200).Select(n => context.CallActivityAsync<int>("Work", n))))
                    .Sum());
        void Few(DurableOptions options) => options.MaxConcurrentActivities = 8;
        await using var first = await DurableHost.StartAsync(database.ConnectionString, Code("first"), Few);
        await using var second = await DurableHost.StartAsync(database.ConnectionString, Code("second"), Few);

        var finished = await first.RunAsync("Share");

        Assert.Equal(19_900, finished.ReadOutputAs<int>());
        Assert.Equal(200, ran.Count);
        Assert.Equal(2, ran.Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_engine_takes_over_what_a_dead_one_was_running_and_the_late_result_changes_nothing(
        bool silently)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        DelegateCode Code(Func<Task<string>> work) => new DelegateCode()
            .Activity<int, string>("Work", (_, _) => work())
            .Orchestrator("Survivor", async context =>
            {
                var result = await context.CallActivityAsync<string>("Work", 1);
                await context.CreateTimer(TimeSpan.FromMilliseconds(20), CancellationToken.None);
                return result;
            });
        void Short(DurableOptions options) => (options.LeaseSeconds, options.ShutdownSeconds) = (1, 0.2);
        var dying = await DurableHost.StartAsync(
            database.ConnectionString,
            Code(async () =>
            {
                begun.TrySetResult();
                await late.Task;
                return "dying";
            }),
            Short);
        var id = await dying.Client.ScheduleNewOrchestrationInstanceAsync("Survivor");
        await begun.Task.WaitAsync(DurableHost.Patience);
        await using var heir = await DurableHost.StartAsync(
            database.ConnectionString, Code(() => Task.FromResult("heir")), Short);

        if (silently)
            await dying.CutAsync();
        else
            await dying.DisposeAsync();
        var finished = await heir.FinishedAsync(id);
        late.SetResult();
        if (silently) await dying.DisposeAsync();

        Assert.Equal("heir", finished.ReadOutputAs<string>());
    }

    [Fact]
    public async Task An_engine_declared_dead_while_it_lives_changes_nothing_and_begins_again()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var tries = 0;
        var late = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var askedToEnd = CancellationToken.None;
        var code = new DelegateCode()
            .Activity<int, int>("Work", async (_, ct) =>
            {
                var attempt = Interlocked.Increment(ref tries);
                if (attempt > 1) return attempt;
                askedToEnd = ct;
                begun.TrySetResult();
                return await late.Task.WaitAsync(ct);
            })
            .Orchestrator("Fenced", context => context.CallActivityAsync<int>("Work", 1));
        await using var host = await DurableHost.StartAsync(
            database.ConnectionString, code, options => options.LeaseSeconds = 1);
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync("Fenced");
        await begun.Task.WaitAsync(DurableHost.Patience);

        await database.ScalarAsync<long>(
            """
            WITH gone AS (DELETE FROM local_durable.workers w
                USING local_durable.instances i
                WHERE i.instance_id = $1 AND w.worker_id = i.lease_owner RETURNING 1)
            SELECT count(*) FROM gone
            """,
            id);
        var finished = await host.FinishedAsync(id);

        Assert.Equal(2, finished.ReadOutputAs<int>());
        // What it was running goes on, as it does under the Functions host, and changes nothing either.
        Assert.False(askedToEnd.IsCancellationRequested);
        late.SetResult(1);
    }

    [Fact]
    public async Task Work_of_a_process_killed_outright_goes_on_elsewhere()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "ViralEngine.Durable.Bench.dll");
        using var child = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", program, database.ConnectionString, "serve" },
        })!;
        var ids = new List<string>();
        try
        {
            await using (var client = await DurableHost.StartAsync(
                database.ConnectionString,
                new DelegateCode(),
                options => (options.MaxConcurrentOrchestrations, options.MaxConcurrentActivities) = (0, 0)))
            {
                for (var i = 0; i < 20; i++) ids.Add(
                    await client.Client.ScheduleNewOrchestrationInstanceAsync("Steps", 50));
                foreach (var id in ids) await client.UntilAsync(id, found => found.IsRunning);
            }
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync();
        }

        await using var heir = await DurableHost.StartAsync(database.ConnectionString, new DelegateCode()
            .Activity<int, int>("Wait", n => n)
            .Orchestrator<int, int>("Steps", async (context, steps) =>
            {
                for (var i = 0; i < steps; i++) await context.CallActivityAsync<int>("Wait", i);
                return steps;
            }));

        foreach (var id in ids) Assert.Equal(50, (await heir.FinishedAsync(id)).ReadOutputAs<int>());
    }
}
