using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.Dev;

/// <summary>
/// Brings the database on Azure up to date and lets the identity of the app in. VIRAL_CONNECTION leads to the database
/// <c>postgres</c> of the server, as somebody who administers it; safe to run again, and by another administrator.
/// </summary>
/// <remarks>
/// The database and all in it belong to the role viral_owner, which every administrator may take. Were it made by the
/// platform, before there is an administrator, nobody could grant on it; made by a person, it would be that person's.
/// </remarks>
internal static class AzureDatabaseCommand
{
    private const string Owner = "viral_owner";

    public static async Task<int> RunAsync(CommandOptions options, CancellationToken ct)
    {
        var server = new NpgsqlConnectionStringBuilder(CommandOptions.RequireSecret("VIRAL_CONNECTION"));
        var database = options.Require("database");
        var app = options.Require("app");
        var principal = options.Require("app-principal");
        try
        {
            await using (var maintenance = NpgsqlDataSource.Create(server))
            {
                await MakeOwnerAsync(maintenance, ct);
                await MakeDatabaseAsync(maintenance, database, ct);
                await MakeLoginAsync(maintenance, app, principal, ct);
            }

            server.Database = database;
            server.Options = $"-c role={Owner}";
            foreach (var script in await Migrator.MigrateAsync(server.ConnectionString, ct))
                Console.Error.WriteLine($"migrated {script}");
            await using (var migrated = NpgsqlDataSource.Create(server))
                await LetInAsync(migrated, app, ct);
            Console.WriteLine("the database is up to date");
            return 0;
        }
        catch (Exception fault) when (fault is MigrationException or NpgsqlException or UsageException)
        {
            await Console.Error.WriteLineAsync($"the database was not migrated: {fault.Message}");
            return 1;
        }
    }

    private static async Task MakeOwnerAsync(NpgsqlDataSource server, CancellationToken ct)
    {
        if (!await IsTrueAsync(server, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", Owner, ct))
        {
            await RunAsync(server, $"CREATE ROLE {Owner} NOLOGIN CREATEROLE", ct);
            // Whichever administrator comes next may take the role too, and hand it on.
            if (await IsTrueAsync(
                server, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", "azure_pg_admin", ct))
                await RunAsync(server, $"GRANT {Owner} TO azure_pg_admin WITH ADMIN OPTION", ct);
        }

        // Since PostgreSQL 16 who makes a role may hand it out, which is not yet to take it.
        if (!await IsTrueAsync(server, "SELECT pg_has_role(CURRENT_USER, $1, 'USAGE')", Owner, ct))
            await RunAsync(server, $"GRANT {Owner} TO CURRENT_USER", ct);
    }

    private static async Task MakeDatabaseAsync(NpgsqlDataSource server, string database, CancellationToken ct)
    {
        var name = new NpgsqlCommandBuilder().QuoteIdentifier(database);
        try
        {
            if (!await IsTrueAsync(server, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database, ct))
                await RunAsync(server, $"CREATE DATABASE {name} OWNER {Owner} TEMPLATE template0 ENCODING 'UTF8'", ct);
        }
        catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.DuplicateDatabase)
        {
            // Somebody else made it in between.
        }

        const string Belongs =
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND pg_get_userbyid(datdba) = 'viral_owner')";
        if (!await IsTrueAsync(server, Belongs, database, ct))
        {
            throw new UsageException(
                $"{database} belongs to another role. Its owner must run: ALTER DATABASE {name} OWNER TO {Owner}; "
                + "if it is empty, drop it and run this again.");
        }
    }

    // PostgreSQL on Azure knows an identity by its object id, and hears of it through this function.
    private static async Task MakeLoginAsync(
        NpgsqlDataSource server, string app, string principal, CancellationToken ct)
    {
        if (await IsTrueAsync(server, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", app, ct))
            return;
        await using var make = server.CreateCommand(
            "SELECT pgaadauth_create_principal_with_oid($1, $2, 'service', false, false)");
        make.Parameters.Add(new NpgsqlParameter<string> { TypedValue = app });
        make.Parameters.Add(new NpgsqlParameter<string> { TypedValue = principal });
        await make.ExecuteNonQueryAsync(ct);
    }

    // The login itself may do nothing: it takes one of the two roles in each transaction.
    private static async Task LetInAsync(NpgsqlDataSource database, string app, CancellationToken ct)
    {
        var login = new NpgsqlCommandBuilder().QuoteIdentifier(app);
        await using var connection = await database.OpenConnectionAsync(ct);
        // Before PostgreSQL 16 the login inherits or not, and not each of its roles.
        var grant = connection.PostgreSqlVersion.Major >= 16
            ? $"GRANT viral_app, viral_sweeper TO {login} WITH INHERIT FALSE, SET TRUE"
            : $"ALTER ROLE {login} NOINHERIT; GRANT viral_app, viral_sweeper TO {login}";
        await using var command = new NpgsqlCommand(grant, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<bool> IsTrueAsync(
        NpgsqlDataSource server, string question, string name, CancellationToken ct)
    {
        await using var command = server.CreateCommand(question);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private static async Task RunAsync(NpgsqlDataSource server, string statement, CancellationToken ct)
    {
        await using var command = server.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(ct);
    }
}
