using Npgsql;
using ViralEngine.Core.Storage;
using Xunit;

namespace ViralEngine.Testing;

/// <summary>
/// A migrated database of its own for a test class (as its fixture) or for one test: a copy of a template that is built
/// once. Dropped afterwards, whoever is still connected.
/// </summary>
public sealed class TestPostgres : IAsyncLifetime
{
    private readonly string name = $"viral_test_{Guid.CreateVersion7():n}";
    private TestLogins logins = null!;
    private NpgsqlDataSource? dataSource;

    /// <summary>What the app connects with: a login that owns nothing and cannot pass row-level security.</summary>
    public string AppConnection => logins.AppConnection(name);

    /// <summary>What migrates: the owner of the database, who is subject to row-level security too.</summary>
    public string OwnerConnection => logins.OwnerConnection(name);

    /// <summary>Sees everything: for tests that look behind the app's back.</summary>
    public string AdminConnection => TestLogins.AdminConnection(name);

    /// <summary>A pool for the app's login, made as the app makes it.</summary>
    public NpgsqlDataSource DataSource =>
        dataSource ??= PostgresDataSource.Create(AppConnection + ";Maximum Pool Size=20");

    /// <summary>The way to the database that use cases take. Dispose it.</summary>
    public Db NewDb() => new(DataSource);

    public async Task InitializeAsync()
    {
        logins = await TestLogins.PrepareAsync();
        var template = await TestTemplate.PrepareAsync(logins);
        await TestLogins.ExecuteAsAdminAsync($"CREATE DATABASE {name} TEMPLATE {template} OWNER {TestLogins.Owner}");
    }

    public async Task DisposeAsync()
    {
        if (dataSource is not null)
            await dataSource.DisposeAsync();
        await TestLogins.ExecuteAsAdminAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }
}
