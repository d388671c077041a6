using System.Diagnostics;
using Npgsql;

namespace ViralEngine.Infrastructure.Tests.Databases;

/// <summary>
/// PostgreSQL with what Azure adds to it: administrators that are no superusers but members of azure_pg_admin, and the
/// function that makes a login of an identity.
/// </summary>
internal sealed class AzureServer : IAsyncDisposable
{
    private static readonly string Tool = Path.Combine(
        BicepCompiler.Templates,
        "../../tools/ViralEngine.Dev/bin",
        Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')))!,
        "net10.0/ViralEngine.Dev.dll");

    private readonly string suffix = Guid.NewGuid().ToString("N")[..8];
    private readonly NpgsqlDataSource superuser;

    private AzureServer(NpgsqlConnectionStringBuilder server)
    {
        Server = server;
        superuser = NpgsqlDataSource.Create(server);
    }

    public NpgsqlConnectionStringBuilder Server { get; }

    public string Database => $"viral_azure_{suffix}";

    public string Copy => $"viral_copy_{suffix}";

    public string App => $"id-viral-{suffix}-app";

    public string Operator => $"olga-{suffix}@example.com";

    public string Migration => $"id-viral-{suffix}-migration";

    public static async Task<AzureServer> StartAsync()
    {
        var made = new AzureServer(new(Environment.GetEnvironmentVariable("VIRAL_TEST_POSTGRES")
            ?? throw new InvalidOperationException("VIRAL_TEST_POSTGRES is not set; run the tests with ./dev test.")));
        await made.SayAsync(
            """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'azure_pg_admin') THEN
                    CREATE ROLE azure_pg_admin NOLOGIN CREATEROLE CREATEDB;
                END IF;
            END $$
            """,
            """
            CREATE OR REPLACE FUNCTION pgaadauth_create_principal_with_oid(
                name text, oid text, kind text, admin boolean, mfa boolean)
            RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
            $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', name, 'app'); RETURN name; END $$
            """,
            // The roles of the app are the whole server's; another database here may have made them as a superuser.
            """
            DO $$ BEGIN
                IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral_app') THEN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral_owner') THEN
                        CREATE ROLE viral_owner NOLOGIN CREATEROLE;
                        GRANT viral_owner TO azure_pg_admin WITH ADMIN OPTION;
                    END IF;
                    GRANT viral_app, viral_sweeper TO viral_owner WITH ADMIN OPTION;
                END IF;
            END $$
            """);
        foreach (var administrator in (string[])[made.Operator, made.Migration])
        {
            await made.SayAsync(
                $"CREATE ROLE \"{administrator}\" LOGIN PASSWORD 'token' CREATEROLE CREATEDB IN ROLE azure_pg_admin");
        }

        return made;
    }

    public async ValueTask DisposeAsync()
    {
        await SayAsync(
            $"DROP DATABASE IF EXISTS {Database} WITH (FORCE)", $"DROP DATABASE IF EXISTS {Copy} WITH (FORCE)");
        await superuser.DisposeAsync();
    }

    public NpgsqlConnectionStringBuilder In(string database) =>
        new(Server.ConnectionString) { Database = database, Pooling = false };

    public async Task SayAsync(params string[] statements)
    {
        foreach (var statement in statements)
        {
            await using var command = superuser.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Brings the database up to date as tools/azure/migrate.sh does.</summary>
    public async Task<(int ExitCode, string Complaints)> MigrateAsync(string administrator)
    {
        var connection = new NpgsqlConnectionStringBuilder(Server.ConnectionString)
        {
            Database = "postgres",
            Username = administrator,
            Password = null,
        };
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Tool, "azure-database", "--database", Database, "--app", App, "--app-principal",
                Guid.NewGuid().ToString()
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["VIRAL_CONNECTION"] = connection.ConnectionString;
        start.Environment["PGPASSWORD"] = "token";

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var complaints = await process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, complaints + await output);
    }
}
