using System.Net;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Load;

/// <summary>Three instances under load: all of them well, one lost, and the database away for a while.</summary>
public sealed class LoadTests : IAsyncLifetime
{
    private readonly TestPostgres postgres = new();
    private AppCluster cluster = null!;
    private TestTenant tenant = null!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        cluster = await AppCluster.StartAsync(new AppSettings(postgres).Expecting("53300: too many connections"), 3);
        tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
    }

    public async Task DisposeAsync()
    {
        tenant.Dispose();
        await cluster.DisposeAsync();
        await postgres.DisposeAsync();
    }

    [Fact]
    public async Task Each_of_three_instances_carries_its_share()
    {
        await using var load = new Submissions(cluster, tenant);

        load.Start();
        await load.ForAsync(1500, "by all");
        await load.StopAsync();

        Assert.Equal(load.Made.Count, load.Accepted.Count);
        var medians = load.Accepted.GroupBy(each => each.Instance).Select(each => Median(each.Select(one => one.Took)))
            .ToList();
        var shares = load.Accepted.GroupBy(each => each.Instance).Select(each => each.Count()).ToList();
        Assert.Equal(3, shares.Count);
        Assert.InRange(shares.Max(), shares.Min(), shares.Min() * 1.1);
        Assert.InRange(medians.Max(), medians.Min(), 3 * medians.Min());
        await load.AllCompletedAsync(cluster[1]);
    }

    [Fact]
    public async Task The_loss_of_an_instance_loses_no_accepted_task_and_is_seen_at_that_instance_only()
    {
        await using var load = new Submissions(cluster, tenant);

        load.Start();
        await load.ForAsync(300, "by all");
        await cluster[2].KillAsync();
        await load.ForAsync(600, "by those that are left");
        await load.StopAsync();

        var failed = load.Made.Except(load.Accepted).ToList();
        Assert.NotEmpty(failed);
        Assert.All(failed, each => Assert.Null(each.Answer));
        Assert.All(failed, each => Assert.Same(cluster[2], each.Instance));
        await load.AllCompletedAsync(cluster[0]);
    }

    /// <summary>
    /// What a failover looks like from the app: every session ends at once, and for seconds there are no new ones. The
    /// seconds are told by the app: by tasks that it starts when they are over.
    /// </summary>
    [Fact]
    public async Task
        The_failover_of_the_database_is_answered_with_503_and_over_before_a_task_that_is_due_ten_seconds_later()
    {
        await using var load = new Submissions(cluster, tenant);
        var due = Enumerable.Range(1, 40).Select(n => DateTime.UtcNow.AddSeconds(3 * n)).ToList();
        var later = new List<string>();
        foreach (var at in due)
            later.Add(await tenant.SubmitAsync(new { agent_id = "echo", description = "later", scheduled_at = at }));

        load.Start();
        await load.ForAsync(300, "before");
        await AdmitAsync(connections: 0);
        await Eventually.TrueAsync(
            () => load.Made.Count(each => each.Answer?.Status != HttpStatusCode.Created) >= 50, "refusals");
        var back = await AdmitAsync(connections: -1);
        await load.ForAsync(300, "again");
        await load.StopAsync();

        var control = later[due.FindIndex(at => at > back.AddSeconds(10))];
        var bound = (await tenant.WaitForAsync(control, "completed")).Json.GetProperty("started_at").GetDateTime();
        var again = load.Accepted.Select(
            each => (each.Instance, At: each.Answer!.Json.GetProperty("created_at").GetDateTime()))
            .Where(each => each.At > back).GroupBy(each => each.Instance).Select(each => each.Min(one => one.At))
                .ToList();
        Assert.Equal(3, again.Count);
        Assert.All(again, first => Assert.InRange(first, back, bound));
        foreach (var refused in load.Made.Except(load.Accepted))
        {
            Assert.NotNull(refused.Answer);
            refused.Answer.ExpectProblem(HttpStatusCode.ServiceUnavailable);
            Assert.NotNull(refused.Answer.Header("Retry-After"));
        }

        await load.AllCompletedAsync(cluster[0]);
    }

    /// <returns>When it was done, by the clock of the database.</returns>
    private async Task<DateTime> AdmitAsync(int connections)
    {
        var there = new NpgsqlConnectionStringBuilder(postgres.AdminConnection);
        var database = there.Database!;
        there.Database = "postgres";
        await using var connection = new NpgsqlConnection(there.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"""
            ALTER DATABASE {database} CONNECTION LIMIT {connections};
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND {connections} = 0;
            """,
            connection);
        await command.ExecuteNonQueryAsync();
        command.CommandText = "SELECT clock_timestamp()";
        return (DateTime)(await command.ExecuteScalarAsync())!;
    }

    private static TimeSpan Median(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
