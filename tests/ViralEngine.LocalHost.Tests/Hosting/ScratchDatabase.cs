using Npgsql;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.LocalHost.Tests.Hosting;

/// <summary>A database of a test's own with the runtime's schema, gone afterwards.</summary>
public sealed class ScratchDatabase : IAsyncLifetime, IAsyncDisposable
{
    private const string Variable = "VIRAL_TEST_POSTGRES";

    private readonly string name = $"viral_runtime_{Guid.NewGuid():n}";

    public string ConnectionString { get; private set; } = "";

    private static string Admin => Environment.GetEnvironmentVariable(Variable)
        ?? throw new InvalidOperationException(
            $"{Variable} is not set. It should hold an administrator's connection string of a PostgreSQL server; "
            + "'./dev test' starts one and sets it.");

    public static async Task<ScratchDatabase> CreateAsync()
    {
        var database = new ScratchDatabase();
        await database.InitializeAsync();
        return database;
    }

    public async Task InitializeAsync()
    {
        await ExecuteAsync(Admin, $"CREATE DATABASE {name}");
        ConnectionString = new NpgsqlConnectionStringBuilder(Admin) { Database = name }.ConnectionString;
        await LocalDurableSchema.InstallAsync(ConnectionString, CancellationToken.None);
    }

    public async Task ExecuteAsync(string sql) => await ExecuteAsync(ConnectionString, sql);

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync() => await ExecuteAsync(Admin, $"DROP DATABASE {name} WITH (FORCE)");

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
