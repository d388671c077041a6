using Npgsql;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.LocalHost.Tests.Durable;

/// <summary>A database of its own for each test class, on the server that VIRAL_TEST_POSTGRES names.</summary>
public sealed class DurableDatabaseFixture : IAsyncLifetime
{
    private readonly string name = $"durable_{Guid.NewGuid():N}";

    public string ConnectionString { get; private set; } = "";

    private static string Admin => Environment.GetEnvironmentVariable("VIRAL_TEST_POSTGRES") is { Length: > 0 } given
        ? given
        : throw new InvalidOperationException(
            "Set VIRAL_TEST_POSTGRES to a connection string that may create databases, or run ./dev test.");

    public async Task InitializeAsync()
    {
        await ExecuteAsync(Admin, $"CREATE DATABASE {name}");
        ConnectionString =
            new NpgsqlConnectionStringBuilder(Admin) { Database = name, Pooling = false }.ConnectionString;
        await LocalDurableSchema.InstallAsync(ConnectionString, CancellationToken.None);
        ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = true }.ConnectionString;
    }

    public Task DisposeAsync() => ExecuteAsync(Admin, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");

    /// <summary>First column of the first row.</summary>
    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var connection = await OpenAsync(ConnectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
