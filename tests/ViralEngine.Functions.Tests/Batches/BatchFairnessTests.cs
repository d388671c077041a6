using System.Collections.Concurrent;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

public sealed class BatchFairnessTests(RunningApp running) : IClassFixture<RunningApp>
{
    private const int Items = 100_000;
    private const int Tasks = 100;

    /// <summary>
    /// How long they wait, by the clock of the database, is told in items of the other that are done in such a time: so
    /// the machine's speed is on both sides.
    /// </summary>
    [Fact]
    public async Task
        While_a_tenants_hundred_thousand_items_run_anothers_single_tasks_wait_for_few_of_them_at_the_median()
    {
        using var busy = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        using var other = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var batches = new ConcurrentQueue<string>();
        using var measured = new CancellationTokenSource();

        var keepingBusy = KeepBusyAsync();
        await Eventually.TrueAsync(async () => await DoneAsync() > 0, "the first batch to run");
        var before = await DoneAsync();
        var times = new List<(DateTime Created, DateTime Started)>();
        while (times.Count < Tasks)
        {
            var id = await other.SubmitAsync(new { agent_id = "echo", description = "quick" });
            var task = (await other.WaitForAsync(id, "completed")).Json;
            times.Add((task.GetProperty("created_at").GetDateTime(), task.GetProperty("started_at").GetDateTime()));
        }

        var done = await DoneAsync() - before;
        await measured.CancelAsync();
        await keepingBusy;
        var aSecond = done / (times[^1].Started - times[0].Created).TotalSeconds;
        var waits = times.Select(time => (time.Started - time.Created).TotalSeconds).Order().ToList();
        Assert.InRange(done, Items / 10, int.MaxValue);
        Assert.InRange(waits[waits.Count / 2] * aSecond, 0, Items / 10);

        // Batch after batch, each sent when the last is half done, for as long as is measured.
        async Task KeepBusyAsync()
        {
            while (!measured.IsCancellationRequested)
            {
                var id = await busy.Owner.SubmitManyAsync(Items, settings: "&concurrency_limit=50");
                batches.Enqueue(id);
                await busy.Owner.WaitForBatchAsync(
                    id, batch => measured.IsCancellationRequested || batch.Count("pending") < Items / 2,
                    "half of a batch");
            }
        }

        async Task<int> DoneAsync()
        {
            var completed = 0;
            foreach (var batch in batches)
                completed += (await busy.Owner.GetBatchAsync(batch)).Count("completed");
            return completed;
        }
    }
}
