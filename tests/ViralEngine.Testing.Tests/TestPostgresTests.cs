using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Testing.Tests;

public sealed class TestPostgresTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Gives_the_app_a_login_that_sees_no_row_without_a_tenant()
    {
        await using var admin = new NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var insert = new NpgsqlCommand(
            "INSERT INTO viral.organizations (id, name) VALUES (gen_random_uuid(), 'Someone')", admin);
        await insert.ExecuteNonQueryAsync();
        await using var app = await postgres.DataSource.OpenConnectionAsync();
        await using var count = new NpgsqlCommand(
            "SELECT set_config('role', 'viral_app', false); SELECT count(*) FROM viral.organizations; RESET ROLE", app);

        await using var reader = await count.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();

        Assert.Equal(0, reader.GetInt64(0));
    }

    [Fact]
    public async Task Gives_the_app_a_login_that_needs_a_role_to_see_any_table()
    {
        await using var app = await postgres.DataSource.OpenConnectionAsync();
        await using var select = new NpgsqlCommand("SELECT FROM viral.organizations", app);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => select.ExecuteNonQueryAsync());

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task Copies_a_template_with_every_migration_done()
    {
        var pending = await Migrator.MigrateAsync(postgres.OwnerConnection, CancellationToken.None);

        Assert.Empty(pending);
    }

    [Fact]
    public async Task Gives_each_fixture_a_database_of_its_own_and_drops_it_with_connections_open()
    {
        var other = new TestPostgres();
        await other.InitializeAsync();
        await using var connection = await other.DataSource.OpenConnectionAsync();

        await other.DisposeAsync();

        Assert.NotEqual(postgres.AppConnection, other.AppConnection);
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            await using var again = new NpgsqlConnection(other.AppConnection + ";Pooling=false");
            await again.OpenAsync();
        });
    }
}
