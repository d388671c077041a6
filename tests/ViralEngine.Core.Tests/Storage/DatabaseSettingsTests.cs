using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Storage;

public sealed class DatabaseSettingsTests
{
    [Theory]
    [InlineData("jit", "off")]
    [InlineData("max_parallel_workers_per_gather", "0")]
    public async Task A_database_that_was_migrated_spends_nothing_on_preparing_short_statements(
        string setting, string expected)
    {
        // With the server's own defaults, as an installation has them.
        await using var server = await PostgresServer.StartAsync();
        await using var connection = new NpgsqlConnection(server.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SHOW {setting}", connection);

        Assert.Equal(expected, await command.ExecuteScalarAsync());
    }
}
