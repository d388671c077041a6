using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace ViralEngine.Testing;

/// <summary>
/// The two logins that tests use besides the superuser, with the rights of those of the local stack. Their password
/// follows from the superuser's, so that every test process knows it.
/// </summary>
internal sealed class TestLogins
{
    public const string Owner = "viral_test_owner";
    public const string App = "viral_test_app";
    private const long LockKey = 0x5649_5445_5354; // "VITEST"

    private static readonly SemaphoreSlim Gate = new(1);
    private static TestLogins? prepared;
    private readonly string password = Convert.ToHexStringLower(
        SHA256.HashData(
            Encoding.UTF8.GetBytes("tests of " + new NpgsqlConnectionStringBuilder(TestServers.Postgres).Password)));

    public static async Task<TestLogins> PrepareAsync()
    {
        await Gate.WaitAsync();
        try
        {
            return prepared ??= await CreateAsync();
        }
        finally
        {
            Gate.Release();
        }
    }

    public string AppConnection(string database) => Connection(database, App, password);

    public string OwnerConnection(string database) => Connection(database, Owner, password);

    public static string AdminConnection(string database) =>
        new NpgsqlConnectionStringBuilder(
            TestServers.Postgres)
        { Database = database, Pooling = false }.ConnectionString;

    public static async Task ExecuteAsAdminAsync(string sql)
    {
        await using var connection = await OpenAdminAsync();
        // Making and dropping a database wait for a checkpoint, which can take long on a busy machine.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Holds back every other test process that makes roles or templates, until the connection closes.
    /// </summary>
    public static async Task<NpgsqlConnection> OpenAdminWithLockAsync()
    {
        var connection = await OpenAdminAsync();
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection);
        command.Parameters.AddWithValue(LockKey);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private static async Task<NpgsqlConnection> OpenAdminAsync()
    {
        var connection = new NpgsqlConnection(AdminConnection("postgres"));
        try
        {
            await connection.OpenAsync();
        }
        catch (NpgsqlException unreachable)
        {
            throw new InvalidOperationException(
                "The PostgreSQL that VIRAL_TEST_POSTGRES names does not answer. ./dev test starts one for the tests.",
                unreachable);
        }

        return connection;
    }

    private static async Task<TestLogins> CreateAsync()
    {
        var logins = new TestLogins();
        await using var admin = await OpenAdminWithLockAsync();
        await using var command = new NpgsqlCommand(
            $"""
            DO $do$
            DECLARE
                login text;
            BEGIN
                FOREACH login IN ARRAY ARRAY['{Owner}', '{App}'] LOOP
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
                        EXECUTE format('CREATE ROLE %I', login);
                    END IF;
                END LOOP;
            END
            $do$;
            ALTER ROLE {Owner} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD '{logins.password}';
            ALTER ROLE {App} LOGIN NOINHERIT NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD '{logins.password}';
            """,
            admin);
        await command.ExecuteNonQueryAsync();
        return logins;
    }

    private static string Connection(string database, string login, string password)
    {
        var admin = new NpgsqlConnectionStringBuilder(TestServers.Postgres);
        return new NpgsqlConnectionStringBuilder
        {
            Host = admin.Host,
            Port = admin.Port,
            Database = database,
            Username = login,
            Password = password,
        }.ConnectionString;
    }
}
