using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Storage;

public sealed class JitTests
{
    [Fact]
    public async Task A_database_that_was_migrated_compiles_no_statements()
    {
        // With the server's own defaults, as an installation has them.
        await using var server = await PostgresServer.StartAsync();
        await using var connection = new NpgsqlConnection(server.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SHOW jit", connection);

        Assert.Equal("off", await command.ExecuteScalarAsync());
    }
}
