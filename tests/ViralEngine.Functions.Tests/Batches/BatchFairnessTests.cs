using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

public sealed class BatchFairnessTests(RunningApp running) : IClassFixture<RunningApp>
{
    private const int Items = 100_000;

    /// <summary>How long they wait is counted in items of the other that are done meanwhile, so that the machine's speed is on both sides.</summary>
    [Fact]
    public async Task While_a_tenants_hundred_thousand_items_run_anothers_single_tasks_wait_for_few_of_them_at_the_median()
    {
        using var busy = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        using var other = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var batches = new List<string>();
        var waits = new List<int>();

        // Batch after batch of a hundred thousand, so that one runs through all of the measurement.
        batches.Add(await busy.Owner.SubmitManyAsync(Items, settings: "&concurrency_limit=50"));
        batches.Add(await busy.Owner.SubmitManyAsync(Items, settings: "&concurrency_limit=50"));
        await busy.Owner.WaitForBatchAsync(batches[0], batch => batch.Count("completed") > 0, "the first to run");
        while (waits.Count < 200)
        {
            var before = await DoneAsync();
            if ((await busy.Owner.GetBatchAsync(batches[^1])).Count("pending") == 0)
                break;
            var task = await other.SubmitAsync(new { agent_id = "echo", description = "quick" });
            await other.WaitForAsync(task, "completed");
            waits.Add(await DoneAsync() - before);
        }

        waits.Sort();
        Assert.True(waits.Count >= 3, $"The batches ended after {waits.Count} tasks.");
        Assert.InRange(waits[waits.Count / 2], 0, Items / 20);

        async Task<int> DoneAsync()
        {
            var done = 0;
            foreach (var batch in batches)
                done += (await busy.Owner.GetBatchAsync(batch)).Count("completed");
            return done;
        }
    }
}
