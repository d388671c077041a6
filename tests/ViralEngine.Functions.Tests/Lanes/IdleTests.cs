using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Lanes;

/// <summary>An instance with nothing to do leaves the database alone, and takes up the next request at once.</summary>
public sealed class IdleTests : IAsyncLifetime
{
    private readonly TestPostgres postgres = new();
    private readonly RedisProcess redis = RedisProcess.StartAsync().GetAwaiter().GetResult();
    private AppProcess app = null!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        app = await AppProcess.StartAsync(new AppSettings(postgres)
            .With("ConnectionStrings:Redis", redis.ConnectionString)
            .With("Webhooks:IdlePollMilliseconds", "2000")
            .With("SweepSchedule", "* * * * * *"));
    }

    public async Task DisposeAsync()
    {
        await app.DisposeAsync();
        await redis.DisposeAsync();
        await postgres.DisposeAsync();
    }

    [Fact]
    public async Task Sweeps_ask_nothing_while_nothing_is_open_and_work_is_taken_up_again()
    {
        var idle = await TransactionsOfRunsAsync(10);
        using (var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey))
        {
            await tenant.WaitForAsync(
                await tenant.SubmitAsync(new { agent_id = "echo", description = "hello" }), "completed");
            // Open for the next hour.
            await tenant.SubmitAsync(
                new { agent_id = "echo", description = "later", scheduled_at = DateTimeOffset.UtcNow.AddHours(1) });
        }

        var open = await TransactionsOfRunsAsync(10);

        Assert.True(
            open - idle >= 3 * 10, $"{open} transactions with something open, {idle} without: too many when idle.");
    }

    private async Task<long> TransactionsOfRunsAsync(int runs)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        var (firstRun, before) = await CountAsync();
        while (true)
        {
            await Task.Delay(1000);
            var (run, after) = await CountAsync();
            if (run - firstRun >= TimeSpan.FromSeconds(runs))
                return after - before;

            // The timer may not have run yet when the app has just started.
            if (firstRun is null)
                (firstRun, before) = (run, after);
        }

        async Task<(DateTime? Run, long Transactions)> CountAsync()
        {
            await using var command = new NpgsqlCommand(
                """
                SELECT timer.last_run, sum(activity.xact_commit)::bigint
                FROM pg_stat_database AS activity
                LEFT JOIN local_durable.timers AS timer ON timer.name = 'SweepOften'
                WHERE activity.datname = current_database()
                GROUP BY 1
                """,
                connection);
            await using var row = await command.ExecuteReaderAsync();
            await row.ReadAsync();
            return (row.IsDBNull(0) ? null : row.GetDateTime(0), row.GetInt64(1));
        }
    }
}
