using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

/// <summary>What happens to a batch when the processes that run it are killed.</summary>
public sealed class BatchSurvivalTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private const int Items = 20_000;

    [Fact]
    public async Task Completes_each_item_once_though_two_of_three_instances_are_killed_in_the_middle()
    {
        await using var cluster = await AppCluster.StartAsync(new AppSettings(postgres), 3);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        using var survivor = tenant.At(cluster[2]);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 10, chunk_size = 10 });
        var id = await tenant.Owner.SubmitManyAsync(Items, agent, "&concurrency_limit=50");

        await survivor.WaitForBatchAsync(id, batch => batch.Count("completed") > Items / 4, "a quarter to be done");
        await cluster[0].KillAsync();
        await survivor.WaitForBatchAsync(id, batch => batch.Count("completed") > Items / 2, "half to be done");
        await cluster[1].KillAsync();
        var batch = await survivor.WaitForBatchAsync(id, "completed");
        var events = await survivor.EventsAsync(id);

        Assert.Equal((Items, Items, 0, 0), (batch.Count("total"), batch.Count("completed"), batch.Count("failed"), batch.Count("pending")));
        Assert.Equal(Items, await CountAsync(id));
        Assert.Single(events, happened => happened.Type == "batch.completed");
        Assert.Single(events, happened => happened.Type == "batch.started");
        var settled = events.Where(happened => happened.Type == "batch.progress").Select(happened => happened.Data.GetProperty("settled").GetInt32()).ToList();
        Assert.Equal(settled.Order(), settled);
    }

    [Fact]
    public async Task What_a_dead_instance_was_running_is_running_again_within_fifteen_seconds()
    {
        await using var dying = await AppProcess.StartAsync(new AppSettings(postgres));
        using var tenant = await TestTenant.CreateAsync(dying.Address, AppSettings.PlatformKey);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var id = await tenant.Owner.SubmitManyAsync(12, agent, "&concurrency_limit=12");
        await tenant.Owner.WaitForBatchAsync(id, batch => batch.Count("in_progress") == 12, "all to run");
        await using var survivor = await AppProcess.StartAsync(new AppSettings(postgres));
        var ofTheDead = await HoldersAsync(id);

        await dying.KillAsync();
        var killed = DateTime.UtcNow;
        await Eventually.TrueAsync(
            async () => await HeldAsync(id) == 12 && !(await HoldersAsync(id)).Intersect(ofTheDead).Any(), "all to be held by the living");

        Assert.Equal(12, ofTheDead.Length);
        Assert.InRange(DateTime.UtcNow - killed, TimeSpan.Zero, TimeSpan.FromSeconds(15));
    }

    private Task<long> CountAsync(string id) => ScalarAsync(
        "SELECT count(*) FROM viral.batch_items WHERE batch_id = $1 AND status = 'completed' AND attempt = 1 AND result = 'item ' || number", id);

    private Task<long> HeldAsync(string id) => ScalarAsync(
        "SELECT count(*) FROM viral.batch_slices WHERE batch_id = $1 AND lease_until > now()", id);

    private async Task<long> ScalarAsync(string sql, string id) => (long)(await OneAsync(sql, id))!;

    private async Task<Guid[]> HoldersAsync(string id) =>
        (Guid[])(await OneAsync("SELECT array_agg(holder) FROM viral.batch_slices WHERE batch_id = $1 AND holder IS NOT NULL", id))!;

    private async Task<object?> OneAsync(string sql, string id)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = Guid.Parse(id) } } };
        return await command.ExecuteScalarAsync();
    }
}
