using System.Net;
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

        Assert.Equal(
            (Items, Items, 0, 0),
            (batch.Count("total"), batch.Count("completed"), batch.Count("failed"), batch.Count("pending")));
        Assert.Equal(Items, await CountAsync(id));
        Assert.Single(events, happened => happened.Type == "batch.completed");
        Assert.Single(events, happened => happened.Type == "batch.started");
        var settled = events.Where(happened => happened.Type == "batch.progress").Select(
            happened => happened.Data.GetProperty("settled").GetInt32()).ToList();
        Assert.Equal(settled.Order(), settled);
    }

    /// <summary>
    /// The promised fifteen seconds are told by the app: by a task that it starts when they are over.
    /// </summary>
    [Fact]
    public async Task What_a_dead_instance_was_running_runs_again_before_a_task_that_is_due_fifteen_seconds_later()
    {
        const int Calls = 12;
        await using var provider = await HeldCalls.StartAsync();
        await using var dying = await AppProcess.StartAsync(new AppSettings(postgres));
        using var tenant = await TestTenant.CreateAsync(dying.Address, AppSettings.PlatformKey);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url });
        await tenant.Owner.SubmitManyAsync(Calls, agent, $"&concurrency_limit={Calls}");
        await Eventually.TrueAsync(() => provider.Calls.Count == Calls, "all to be called");
        await using var survivor = await AppProcess.StartAsync(new AppSettings(postgres));
        using var living = tenant.At(survivor);

        await dying.KillAsync();
        (await living.PostAsync(
            "/api/tasks",
            new { agent_id = agent, description = "later", scheduled_at = DateTime.UtcNow.AddSeconds(15) }))
            .Expect(HttpStatusCode.Created);
        await Eventually.TrueAsync(() => provider.Calls.Contains("later"), "the task to be started");

        var (first, again) = (
            provider.Calls.Take(Calls), provider.Calls.Skip(Calls).TakeWhile(item => item != "later"));
        Assert.Equal(first.Order(), again.Distinct().Order());
    }

    [Fact]
    public async Task Only_the_calls_that_died_with_their_instances_are_made_again()
    {
        const int Calls = 3600;
        await using var provider = await HeldCalls.StartAsync();
        // None has room for all of it: alone, a tenant may have four fifths of each.
        var settings = new AppSettings(postgres).With("Lanes:CallsPerInstance", "2000")
            .With("Lanes:TurnSeconds", "300");
        await using var cluster = await AppCluster.StartAsync(settings, 3);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        using var survivor = tenant.At(cluster[2]);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url });
        // More lanes than are needed: those that find no room go where there is some.
        var id = await tenant.Owner.SubmitManyAsync(Calls, agent, "&concurrency_limit=5000");
        await Eventually.GetAsync(
            () => Task.FromResult(provider.Open), open => open >= 3000, "three thousand calls to be held",
            TimeSpan.FromMinutes(3));

        await Task.WhenAll(cluster[0].KillAsync(), cluster[1].KillAsync());
        var dead = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                var before = dead;
                await Task.Delay(1000);
                return (dead = provider.Dead.Count) > 0 && dead == before;
            },
            "the dead to have hung up");
        provider.Release();
        var batch = await survivor.WaitForBatchAsync(id, "completed");

        Assert.Equal((Calls, 0), (batch.Count("completed"), batch.Count("failed")));
        Assert.Equal(Calls, provider.Made.Count);
        Assert.All(provider.Made, made => Assert.Equal(provider.Dead.ContainsKey(made.Key) ? 2 : 1, made.Value));
        Assert.InRange(provider.Dead.Count, 1, Calls - 1);
    }

    [Fact]
    public async Task Nobody_calls_again_for_an_answer_that_waits_to_be_stored()
    {
        await using var provider = await HeldCalls.StartAsync();
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres).With("Batches:LeaseSeconds", "1"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url });
        // Some lanes have nothing to run, and look for what others lost.
        var id = await tenant.Owner.SubmitManyAsync(4, agent, "&concurrency_limit=8");
        await Eventually.TrueAsync(() => provider.Calls.Count == 4, "all to be called");

        await using (var blocking = new NpgsqlConnection(postgres.AdminConnection))
        {
            await blocking.OpenAsync();
            await using var transaction = await blocking.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(
                "LOCK TABLE viral.batch_items IN SHARE MODE", blocking, transaction);
            await command.ExecuteNonQueryAsync();
            provider.Release();
            await Eventually.TrueAsync(
                async () => provider.Calls.Count > 4 || await KeptForAsync(id, TimeSpan.FromSeconds(6)) == 4,
                "all leases to be renewed or lost");
        }

        await tenant.Owner.WaitForBatchAsync(id, "completed");
        Assert.Equal(["item 1", "item 2", "item 3", "item 4"], provider.Calls.Order());
    }

    private Task<long> KeptForAsync(string id, TimeSpan time) => ScalarAsync(
        "SELECT count(*) FROM viral.batch_slices WHERE batch_id = $1 "
        + $"AND lease_until > due_at + interval '{time.TotalSeconds} seconds'",
        id);

    private Task<long> CountAsync(string id) => ScalarAsync(
        "SELECT count(*) FROM viral.batch_items WHERE batch_id = $1 AND status = 'completed' AND attempt = 1 "
        + "AND result = 'item ' || number",
        id);

    private async Task<long> ScalarAsync(string sql, string id)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command =
            new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = Guid.Parse(id) } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
