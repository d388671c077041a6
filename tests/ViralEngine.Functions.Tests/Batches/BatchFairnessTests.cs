using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

public sealed class BatchFairnessTests(RunningApp running) : IClassFixture<RunningApp>
{
    private const int Items = 100_000;

    /// <summary>
    /// How long they wait, by the clock of the database, is told in items of the other that are done in such a time: so the machine's speed
    /// is on both sides.
    /// </summary>
    [Fact]
    public async Task While_a_tenants_hundred_thousand_items_run_anothers_single_tasks_wait_for_few_of_them_at_the_median()
    {
        using var busy = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        using var other = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var batches = new List<string>();
        var times = new List<(DateTime Created, DateTime Started)>();

        // Batch after batch of a hundred thousand, so that one runs through all of the measurement.
        batches.Add(await busy.Owner.SubmitManyAsync(Items, settings: "&concurrency_limit=50"));
        batches.Add(await busy.Owner.SubmitManyAsync(Items, settings: "&concurrency_limit=50"));
        await busy.Owner.WaitForBatchAsync(batches[0], batch => batch.Count("completed") > 0, "the first to run");
        var before = await DoneAsync();
        while (times.Count < 200 && (await busy.Owner.GetBatchAsync(batches[^1])).Count("pending") > 0)
        {
            var id = await other.SubmitAsync(new { agent_id = "echo", description = "quick" });
            var task = (await other.WaitForAsync(id, "completed")).Json;
            times.Add((task.GetProperty("created_at").GetDateTime(), task.GetProperty("started_at").GetDateTime()));
        }

        var done = await DoneAsync() - before;
        Assert.True(times.Count >= 3, $"The batches ended after {times.Count} tasks.");
        var aSecond = done / (times[^1].Started - times[0].Created).TotalSeconds;
        var waits = times.Select(time => (time.Started - time.Created).TotalSeconds).Order().ToList();
        Assert.InRange(waits[waits.Count / 2] * aSecond, 0, Items / 10);

        async Task<int> DoneAsync()
        {
            var completed = 0;
            foreach (var batch in batches)
                completed += (await busy.Owner.GetBatchAsync(batch)).Count("completed");
            return completed;
        }
    }
}
