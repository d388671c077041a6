using Npgsql;

namespace ViralEngine.Infrastructure.Tests.Databases;

/// <summary>The database of a new server on Azure, and whose it is.</summary>
[Trait("Category", "Database")]
public sealed class AzureDatabaseTests : IAsyncLifetime
{
    private AzureServer azure = null!;

    public async Task InitializeAsync() => azure = await AzureServer.StartAsync();

    public async Task DisposeAsync() => await azure.DisposeAsync();

    [Fact]
    public async Task Belongs_to_a_role_that_every_administrator_may_take_whoever_was_first()
    {
        var first = await azure.MigrateAsync(azure.Operator);
        var again = await azure.MigrateAsync(azure.Operator);
        var other = await azure.MigrateAsync(azure.Migration);

        Assert.True(first.ExitCode == 0, first.Complaints);
        Assert.True(again.ExitCode == 0, again.Complaints);
        Assert.True(other.ExitCode == 0, other.Complaints);
        Assert.Contains("migrated", first.Complaints, StringComparison.Ordinal);
        Assert.DoesNotContain("migrated", again.Complaints, StringComparison.Ordinal);
        Assert.Equal("viral_owner", await AskAsync(
            azure.Server, $"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{azure.Database}'"));
        Assert.Equal("viral_owner", await AskAsync(
            azure.In(azure.Database),
            "SELECT tableowner FROM pg_tables WHERE schemaname = 'viral' AND tablename = 'tasks'"));
    }

    [Fact]
    public async Task Lets_the_app_in_which_by_itself_may_do_nothing()
    {
        await azure.MigrateAsync(azure.Operator);
        var app = azure.In(azure.Database);
        (app.Username, app.Password) = (azure.App, "app");

        await Assert.ThrowsAsync<PostgresException>(() => AskAsync(app, "SELECT count(*)::text FROM viral.tasks"));
        app.Options = "-c role=viral_sweeper";
        Assert.Equal("0", await AskAsync(app, "SELECT count(*)::text FROM viral.tasks"));
    }

    [Fact]
    public async Task Refuses_a_database_of_somebody_else_and_says_what_helps()
    {
        await azure.SayAsync($"CREATE DATABASE {azure.Database}");

        var ran = await azure.MigrateAsync(azure.Operator);

        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains(
            $"ALTER DATABASE \"{azure.Database}\" OWNER TO viral_owner", ran.Complaints, StringComparison.Ordinal);
    }

    private static async Task<string?> AskAsync(NpgsqlConnectionStringBuilder where, string question)
    {
        await using var source = NpgsqlDataSource.Create(where);
        await using var command = source.CreateCommand(question);
        return (string?)await command.ExecuteScalarAsync();
    }
}
