using ViralEngine.LocalHost.Durable;
using ViralEngine.LocalHost.Tests.Hosting;

namespace ViralEngine.LocalHost.Tests.Durable;

public sealed class SchemaTests : IAsyncLifetime, IAsyncDisposable
{
    // Statuses: 1 completed, 3 failed, 5 terminated; 0 running, 6 pending, 7 suspended.
    private const string OldInstances =
        """
        INSERT INTO local_durable.instances (instance_id, execution_id, name, status, created_at, updated_at)
        SELECT 'i' || status, gen_random_uuid(), 'Old', status, now(), now()
        FROM unnest('{0,1,3,5,6,7}'::smallint[]) status;
        INSERT INTO local_durable.history (instance_id, execution_id, seq, event_count, events)
        SELECT instance_id, execution_id, 1, 1, '[]' FROM local_durable.instances;
        INSERT INTO local_durable.timers (name, schedule, next_run) VALUES ('Tick', '0 * * * * *', now());
        """;

    private readonly ScratchDatabase database = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Fact]
    public async Task Abandons_the_orchestrations_of_the_version_before_and_counts_the_unfinished()
    {
        await database.ExecuteAsync("DROP TABLE local_durable.schema_version");
        await database.ExecuteAsync(OldInstances);

        var abandoned = await InstallAsync();
        var again = await InstallAsync();

        Assert.Equal((3, 0), (abandoned, again));
        Assert.Equal(0L, await database.QueryAsync<long>(
            "SELECT (SELECT count(*) FROM local_durable.instances) + (SELECT count(*) FROM local_durable.history)"));
        Assert.Equal(2, await database.QueryAsync<int>("SELECT version FROM local_durable.schema_version"));
        Assert.Equal(1L, await database.QueryAsync<long>("SELECT count(*) FROM local_durable.timers"));
    }

    [Fact]
    public async Task Keeps_orchestrations_of_its_own_version()
    {
        await database.ExecuteAsync(OldInstances);

        Assert.Equal(0, await InstallAsync());

        Assert.Equal(6L, await database.QueryAsync<long>("SELECT count(*) FROM local_durable.instances"));
    }

    [Fact]
    public async Task Refuses_a_schema_that_is_newer_than_itself_and_leaves_it_alone()
    {
        await database.ExecuteAsync(OldInstances);
        await database.ExecuteAsync("UPDATE local_durable.schema_version SET version = 3");

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(InstallAsync);

        Assert.Contains("has version 3; this build knows versions up to 2", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(6L, await database.QueryAsync<long>("SELECT count(*) FROM local_durable.instances"));
        Assert.Equal(3, await database.QueryAsync<int>("SELECT version FROM local_durable.schema_version"));
    }

    private Task<int> InstallAsync() =>
        LocalDurableSchema.InstallAsync(database.ConnectionString, CancellationToken.None);
}
