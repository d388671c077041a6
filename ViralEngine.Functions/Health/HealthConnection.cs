using Azure.Core;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Health;

/// <summary>
/// A PostgreSQL connection for health checks only, so that they do not depend on a free connection in the pool.
/// </summary>
internal sealed class HealthConnection(string connectionString, TokenCredential? credential) : IAsyncDisposable
{
    private readonly NpgsqlDataSource dataSource = PostgresDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString) { MinPoolSize = 0, MaxPoolSize = 2 }.ConnectionString,
        credential);

    public async Task AskAsync(CancellationToken ct)
    {
        await using var command = dataSource.CreateCommand("SELECT 1");
        await command.ExecuteScalarAsync(ct);
    }

    public ValueTask DisposeAsync() => dataSource.DisposeAsync();
}
