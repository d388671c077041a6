using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Storage;

/// <summary>What PostgreSQL itself refuses, whatever the code above it forgets.</summary>
public sealed class TenantIsolationTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Every_table_of_the_schema_is_under_forced_row_level_security()
    {
        await using var admin = NpgsqlDataSource.Create(postgres.AdminConnection);
        await using var command = admin.CreateCommand(
            """
            SELECT relname
            FROM pg_class
            WHERE relnamespace = 'viral'::regnamespace AND relkind IN ('r', 'p')
              AND NOT (relrowsecurity AND relforcerowsecurity)
            """);
        await using var reader = await command.ExecuteReaderAsync();

        Assert.False(await reader.ReadAsync(), "A table has no row-level security.");
    }

    [Fact]
    public async Task Without_a_tenant_no_row_is_seen_and_none_can_be_written()
    {
        var tenant = new TenantId(Guid.CreateVersion7());
        await using var db = postgres.NewDb();
        await db.ExecuteAsync(
            DbScope.AllTenants, "INSERT INTO viral.organizations (id, name) VALUES ($1, 'one')", [tenant.Value],
            default);

        await using var connection = await postgres.DataSource.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT set_config('role', 'viral_app', true)"),
                new NpgsqlBatchCommand("SELECT count(*) FROM viral.organizations"),
            },
        };
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            await reader.NextResultAsync();
            await reader.ReadAsync();
            Assert.Equal(0, reader.GetInt64(0));
        }

        var other = new TenantId(Guid.CreateVersion7());
        Assert.Empty(
            await db.QueryAsync(other, "SELECT id FROM viral.organizations", [], row => row.GetGuid(0), default));
        var refused = await Assert.ThrowsAsync<PostgresException>(() => db.ExecuteAsync(
            other, "INSERT INTO viral.members (tenant_id, id, subject, role) VALUES ($1, $2, 's', 'owner')",
            [tenant.Value, Guid.NewGuid()], default));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task The_app_s_login_alone_may_do_nothing()
    {
        await using var connection = await postgres.DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("SELECT count(*) FROM viral.tasks", connection);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync());

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task A_tenant_set_in_one_transaction_is_gone_in_the_next()
    {
        var tenant = new TenantId(Guid.CreateVersion7());
        await using var db = postgres.NewDb();

        await db.ExecuteAsync(tenant, "SELECT 1", [], default);
        await using var connection = await postgres.DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(
            "SELECT current_setting('viral.tenant_id', true), current_user", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();

        Assert.Equal("", reader.IsDBNull(0) ? "" : reader.GetString(0));
        Assert.NotEqual("viral_app", reader.GetString(1));
    }
}
