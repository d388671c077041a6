using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Load;

/// <summary>The database server crashes, or another takes its place: what was acknowledged is there, and is run.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task A_server_that_crashes_and_starts_again_has_lost_nothing_that_was_acknowledged()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var cluster = await AppCluster.StartAsync(SettingsFor(PostgresServer.AppConnection(server.Port)), 2);
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
        await using var cluster = await AppCluster.StartAsync(behindPgBouncer ? settings.BehindPgBouncer() : settings, 2);
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

    private static AppSettings SettingsFor(string postgres) => new(postgres, TestServers.Redis, new Dictionary<string, string?>());

    private static IEnumerable<Guid> AcceptedIds(Submissions load) =>
        load.Accepted.Select(each => Guid.Parse(each.Answer!.Header("Location")!.Split('/')[^1]));
}
