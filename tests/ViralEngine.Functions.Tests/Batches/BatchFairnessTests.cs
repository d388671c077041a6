using System.Diagnostics;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

public sealed class BatchFairnessTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task While_a_tenants_hundred_thousand_items_run_anothers_single_tasks_start_within_a_second_at_the_median()
    {
        using var busy = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        using var other = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var batches = new List<string>();
        var waits = new List<TimeSpan>();

        // Batch after batch of a hundred thousand, so that one runs through all of the measurement.
        batches.Add(await busy.Owner.SubmitManyAsync(100_000, settings: "&concurrency_limit=50"));
        batches.Add(await busy.Owner.SubmitManyAsync(100_000, settings: "&concurrency_limit=50"));
        await busy.Owner.WaitForBatchAsync(batches[0], batch => batch.Count("completed") > 0, "the first to run");
        var underLoad = 0;
        while (waits.Count < 200)
        {
            var last = await busy.Owner.GetBatchAsync(batches[^1]);
            if (last.Count("pending") == 0)
                break;
            underLoad++;
            var clock = Stopwatch.StartNew();
            var task = await other.SubmitAsync(new { agent_id = "echo", description = "quick" });
            await other.WaitForAsync(task, "completed");
            waits.Add(clock.Elapsed);
        }

        waits.Sort();
        Assert.True(underLoad >= 3, $"the batches ended after {underLoad} tasks");
        Assert.True(waits[waits.Count / 2] < TimeSpan.FromSeconds(1), $"the median of {waits.Count} was {waits[waits.Count / 2].TotalMilliseconds:0} ms");
    }
}
