using System.Net;
using ViralEngine.Functions.Tests.Batches;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Load;

/// <summary>
/// The database server crashes, or another takes its place: what was acknowledged is there, and is run.
/// </summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task A_server_that_crashes_and_starts_again_has_lost_nothing_that_was_acknowledged()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var cluster = await AppCluster.StartAsync(
            SettingsFor(PostgresServer.AppConnection(server.Port)), 2);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        await using var load = new Submissions(cluster, tenant);

        load.Start();
        await load.ForAsync(200, "before");
        await server.CrashAsync();
        await Eventually.TrueAsync(() => load.Made.Except(load.Accepted).Count() >= 10, "refusals");
        await server.RestartAsync();
        await load.ForAsync(200, "after");
        await load.StopAsync();

        Assert.Empty(AcceptedIds(load).Except(await server.TaskIdsAsync()));
        await load.AllCompletedAsync(cluster[1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_standby_that_is_promoted_has_everything_that_was_acknowledged(bool behindPgBouncer)
    {
        await using var server = await PostgresServer.StartAsync();
        await using var standby = await server.StartStandbyAsync();
        await using var address = new TcpLink(server.Port);
        await using var bouncer = behindPgBouncer ? await PgBouncer.StartAsync(address.Port) : null;
        var settings = SettingsFor(PostgresServer.AppConnection(bouncer?.Port ?? address.Port));
        await using var cluster = await AppCluster.StartAsync(
            behindPgBouncer ? settings.BehindPgBouncer() : settings, 2);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        await using var load = new Submissions(cluster, tenant);

        load.Start();
        await load.ForAsync(200, "before");
        await server.CrashAsync();
        await standby.PromoteAsync();
        address.PointTo(standby.Port);
        await load.ForAsync(200, "after");
        await load.StopAsync();

        Assert.Empty(AcceptedIds(load).Except(await standby.TaskIdsAsync()));
        await load.AllCompletedAsync(cluster[1]);
    }

    [Fact]
    public async Task Answers_that_arrive_while_the_database_is_away_are_kept_and_nobody_calls_again()
    {
        await using var provider = await HeldCalls.StartAsync();
        await using var server = await PostgresServer.StartAsync();
        await using var address = new TcpLink(server.Port);
        await using var app = await AppProcess.StartAsync(SettingsFor(PostgresServer.AppConnection(address.Port)));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url });
        var batch = await tenant.Owner.SubmitManyAsync(3, agent);
        var tasks = new List<string>();
        for (var i = 1; i <= 3; i++)
            tasks.Add(await tenant.SubmitAsync(new { agent_id = agent, description = $"task {i}" }));
        await Eventually.TrueAsync(() => provider.Calls.Count == 6, "all to be called");

        address.PointTo(FreePort.Take()); // where nobody is
        provider.Release();
        await Eventually.TrueAsync(
            () => app.Output.Contains("could not be stored", StringComparison.Ordinal), "an answer to be kept");
        address.PointTo(server.Port);

        foreach (var task in tasks)
        {
            var ended = await Eventually.GetAsync(
                () => tenant.Owner.GetAsync($"/api/tasks/{task}"),
                answer => answer.Status == HttpStatusCode.OK && answer.Json.GetProperty("status")
                    .GetString() == "completed",
                "the task to be completed");
            Assert.Equal("done", ended.Json.GetProperty("result").GetString());
        }

        Assert.Equal(3, (await tenant.Owner.WaitForBatchAsync(batch, "completed")).Count("completed"));
        Assert.Equal(["item 1", "item 2", "item 3", "task 1", "task 2", "task 3"], provider.Calls.Order());
    }

    /// <summary>
    /// All leases lapse in the outage, and those who hold them are alive: nobody may take them for dead.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Calls_go_on_through_an_outage_longer_than_their_leases(bool standbyTakesOver)
    {
        const int Each = 20;
        await using var provider = await HeldCalls.StartAsync();
        await using var server = await PostgresServer.StartAsync();
        await using var standby = standbyTakesOver ? await server.StartStandbyAsync() : null;
        await using var address = new TcpLink(server.Port);
        await using var cluster = await AppCluster.StartAsync(
            SettingsFor(PostgresServer.AppConnection(address.Port)), 2);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        var agent = await tenant.NewHttpAsync(new { url = provider.Url });
        var tasks = new List<string>();
        for (var i = 0; i < Each; i++)
            tasks.Add(await tenant.SubmitAsync(new { agent_id = agent, description = $"task {i}" }));
        var batch = await tenant.Owner.SubmitManyAsync(Each, agent, $"&concurrency_limit={Each}");
        await Eventually.TrueAsync(() => provider.Calls.Count == 2 * Each, "all to be called");

        await server.CrashAsync();
        await Task.Delay(TimeSpan.FromSeconds(12));
        if (standby is null)
            await server.RestartAsync();
        else
        {
            await standby.PromoteAsync();
            address.PointTo(standby.Port);
        }

        await Eventually.TrueAsync(
            async () => await (standby ?? server).CountAsync(
                """
                SELECT count(*)
                FROM viral.organizations
                WHERE EXISTS (SELECT FROM viral.tasks WHERE lease_until > now() + interval '5 seconds')
                  AND EXISTS (SELECT FROM viral.batch_slices WHERE lease_until > now() + interval '5 seconds')
                  AND NOT EXISTS (SELECT FROM viral.tasks WHERE lease_until < now())
                  AND NOT EXISTS (SELECT FROM viral.batch_slices WHERE lease_until < now())
                """) > 0,
            "the leases to be renewed");
        // Longer than it takes to give anybody up for dead.
        await Task.Delay(TimeSpan.FromSeconds(12));
        provider.Release();
        await tenant.Owner.WaitForBatchAsync(batch, "completed");
        foreach (var id in tasks)
            await tenant.WaitForAsync(id, "completed");

        Assert.Equal(provider.Calls.Distinct().Order(), provider.Calls.Order());
    }

    private static AppSettings SettingsFor(string postgres) =>
        new(postgres, TestServers.Redis, new Dictionary<string, string?>());

    private static IEnumerable<Guid> AcceptedIds(Submissions load) =>
        load.Accepted.Select(each => Guid.Parse(each.Answer!.Header("Location")!.Split('/')[^1]));
}
