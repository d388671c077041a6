using Azure.Identity;
using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Identity;

/// <summary>
/// A token takes the place of a password, against a real PostgreSQL whose login has the token as its password.
/// </summary>
public sealed class EntraPasswordTests : IAsyncLifetime
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(50);

    private readonly string login = $"entra_{Guid.CreateVersion7():n}";
    private readonly FakeIdentity identity = new(TimeProvider.System);

    public async Task InitializeAsync() =>
        await AsAdminAsync($"CREATE ROLE {login} LOGIN PASSWORD '{identity.Issue("someone")}'");

    public async Task DisposeAsync() => await AsAdminAsync($"DROP ROLE {login}");

    [Fact]
    public async Task Signs_in_with_the_token_of_the_identity()
    {
        await using var pool = Pool();

        Assert.Equal(login, await WhoAsync(pool));
        Assert.Equal(["https://ossrdbms-aad.database.windows.net/.default"], identity.Scopes);
    }

    [Fact]
    public async Task Takes_the_next_token_for_the_next_connection()
    {
        await using var pool = Pool();
        await WhoAsync(pool);

        await AsAdminAsync($"ALTER ROLE {login} PASSWORD '{identity.Issue("someone")}'");

        await Eventually.TrueAsync(() => GetsInAsync(pool), "a connection with the new token");
    }

    [Fact]
    public async Task Keeps_the_token_it_has_while_the_identity_is_away_and_takes_the_next_when_it_is_back()
    {
        await using var pool = Pool();
        await WhoAsync(pool);

        identity.Fail(new AuthenticationFailedException("the identity endpoint is away"));
        Assert.Equal(login, await WhoAsync(pool));
        await AsAdminAsync($"ALTER ROLE {login} PASSWORD '{identity.Issue("someone")}'");
        identity.Fail(null);

        await Eventually.TrueAsync(() => GetsInAsync(pool), "a connection with the new token");
    }

    // Without pooling, so that each connection signs in.
    private NpgsqlDataSource Pool()
    {
        var connection = new NpgsqlConnectionStringBuilder(TestServers.Postgres)
        {
            Username = login,
            Password = null,
            Database = "postgres",
            Pooling = false,
        };
        return new NpgsqlDataSourceBuilder(connection.ConnectionString).UseEntraPassword(identity, Often, Often)
            .Build();
    }

    private static async Task<object?> WhoAsync(NpgsqlDataSource pool)
    {
        await using var command = pool.CreateCommand("SELECT session_user::text");
        return await command.ExecuteScalarAsync();
    }

    private static async Task<bool> GetsInAsync(NpgsqlDataSource pool)
    {
        try
        {
            await WhoAsync(pool);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            return false;
        }
    }

    private static async Task AsAdminAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(TestServers.Postgres);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin);
        await command.ExecuteNonQueryAsync();
    }
}
