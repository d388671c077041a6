using System.Globalization;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

/// <summary>What must not grow with a batch.</summary>
public sealed class BatchSizeTests(RunningApp running) : IClassFixture<RunningApp>
{
    private const int Many = 100_000;

    [Fact]
    public async Task Runs_a_hundred_thousand_items_once_each_in_bounded_memory_and_history()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);

        var small = await tenant.Owner.SubmitManyAsync(1000);
        await tenant.Owner.WaitForBatchAsync(small, "completed");
        var large = await tenant.Owner.SubmitManyAsync(Many);
        var batch = await tenant.Owner.WaitForBatchAsync(large, "completed");

        Assert.Equal((Many, Many), (batch.Count("total"), batch.Count("completed")));
        Assert.Equal(Many, await ScalarAsync(
            """
            SELECT count(*) FROM viral.batch_items
            WHERE batch_id = $1 AND status = 'completed' AND attempt = 1 AND result = 'item ' || number
            """, large));
        Assert.Equal(0, await ScalarAsync("SELECT count(*) FROM viral.batch_slices WHERE batch_id = $1", large));
        // A hundred times the items, and not even twice the history: a busy machine may cost a few more looks at the
        // last lanes.
        var (few, many) = (await HistoryAsync(small), await HistoryAsync(large));
        Assert.True(
            many < 2 * few, $"the history grew with the batch: {few} events for 1,000 items, {many} for {Many}");
        Assert.InRange(PeakMegabytes(), 1, 400);
    }

    /// <summary>Events of the batch's own orchestration.</summary>
    private Task<long> HistoryAsync(string batchId) => ScalarAsync(
        "SELECT COALESCE(sum(event_count), 0)::bigint FROM local_durable.history WHERE instance_id = $1::text",
        batchId);

    private long PeakMegabytes()
    {
        var line = File.ReadLines($"/proc/{running.App.ProcessId}/status").First(
            line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private async Task<long> ScalarAsync(string sql, string batchId)
    {
        await using var connection = new NpgsqlConnection(running.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command =
            new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = Guid.Parse(batchId) } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
