using System.Diagnostics;
using System.Globalization;
using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.Testing;

/// <summary>
/// A PostgreSQL of a test's own, to be crashed, started again, copied and promoted. Other tests share the one of
/// <see cref="TestServers.Postgres"/>.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Database = "viral";
    private const string Password = "of the tests";
    private static readonly string Programs = FindPrograms();
    private static readonly string? User = Environment.UserName == "root" ? "postgres" : null;

    private readonly string folder;

    private PostgresServer(string folder) => this.folder = folder;

    public int Port { get; } = FreePort.Take();

    /// <summary>A superuser's connection string, without a pool: for tests that look behind the app's back.</summary>
    public string AdminConnection => Connection("postgres", Port);

    /// <summary>An empty server with the app's schema in it, which a standby may copy.</summary>
    /// <param name="folder">Where it keeps its data: a folder that is not there yet; null: a temporary one.</param>
    public static async Task<PostgresServer> StartAsync(string? folder = null)
    {
        var server = new PostgresServer(folder ?? NewFolder());
        await RunAsync(
            "initdb", "-D", server.folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8");
        await server.RestartAsync();
        await server.ExecuteAsync(
            "postgres", $"CREATE ROLE owner LOGIN CREATEROLE; CREATE ROLE app LOGIN NOINHERIT PASSWORD '{Password}'");
        await server.ExecuteAsync("postgres", $"CREATE DATABASE {Database} OWNER owner");
        await Migrator.MigrateAsync(Connection("owner", server.Port), CancellationToken.None);
        await LocalDurableSchema.InstallAsync(Connection("owner", server.Port), "app", CancellationToken.None);
        await server.ExecuteAsync(Database, "GRANT viral_app, viral_sweeper TO app");
        return server;
    }

    /// <summary>The app's connection string, by way of a port.</summary>
    public static string AppConnection(int port) => Connection("app", port) + ";Maximum Pool Size=20;Timeout=5";

    /// <summary>A standby that has everything the server acknowledges: from now on each commit waits for it.</summary>
    public async Task<PostgresServer> StartStandbyAsync(string? folder = null)
    {
        var standby = new PostgresServer(folder ?? NewFolder());
        await RunAsync(
            "pg_basebackup", "-D", standby.folder, "-h", "127.0.0.1", "-p", Text(Port), "-U", "postgres", "-R", "-X",
            "stream", "-c", "fast");
        await standby.RestartAsync();
        await ExecuteAsync("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        await ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        await Eventually.TrueAsync(
            async () => await CountAsync("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1,
            "the standby to follow");
        return standby;
    }

    /// <summary>Starts it, again where it was stopped.</summary>
    public Task RestartAsync() => RunAsync(
        "pg_ctl", "start", "-w", "-t", "120", "-D", folder, "-l", Path.Combine(folder, "server.log"), "-o",
        $"-p {Text(Port)} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on "
        + "-c max_connections=200");

    /// <summary>Ends every process of it at once, as a loss of power would.</summary>
    public Task CrashAsync() => RunAsync("pg_ctl", "stop", "-w", "-m", "immediate", "-D", folder);

    /// <summary>Makes the standby the server, which waits for no other standby.</summary>
    public async Task PromoteAsync()
    {
        await RunAsync("pg_ctl", "promote", "-w", "-t", "120", "-D", folder);
        await ExecuteAsync("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
        await ExecuteAsync("postgres", "SELECT pg_reload_conf()");
    }

    /// <summary>Ids of tasks that are there.</summary>
    public async Task<HashSet<Guid>> TaskIdsAsync()
    {
        await using var admin = new NpgsqlConnection(Connection("postgres", Port));
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT id FROM viral.tasks", admin);
        await using var rows = await command.ExecuteReaderAsync();
        var ids = new HashSet<Guid>();
        while (await rows.ReadAsync())
            ids.Add(rows.GetGuid(0));
        return ids;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await CrashAsync();
        }
        catch (InvalidOperationException)
        {
            // It is down already.
        }

        await ExecuteAsync(User is null ? ["rm", "-rf", folder] : ["runuser", "-u", User, "--", "rm", "-rf", folder]);
    }

    private static string NewFolder() => Path.Combine(Path.GetTempPath(), $"viral-engine-test-{Guid.NewGuid():n}");

    private static string Connection(string login, int port, string database = Database) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Database = database,
            Username = login,
            Password = Password,
            Pooling = login == "app",
        }.ConnectionString;

    /// <summary>Runs a statement as the superuser.</summary>
    public async Task ExecuteAsync(string database, string sql)
    {
        await using var admin = new NpgsqlConnection(Connection("postgres", Port, database));
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>What a superuser's query counts.</summary>
    public async Task<long> CountAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(AdminConnection);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Where ./dev looks: what PG_BIN says, else the newest that is installed.</summary>
    private static string FindPrograms() => Environment.GetEnvironmentVariable("PG_BIN") is { Length: > 0 } told
        ? told
        : Directory.GetDirectories("/usr/lib/postgresql")
            .OrderByDescending(version => int.Parse(Path.GetFileName(version), CultureInfo.InvariantCulture))
            .Select(version => Path.Combine(version, "bin"))
            .First();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Task RunAsync(string program, params string[] args) =>
        ExecuteAsync(
            [.. User is null ? [] : (string[])["runuser", "-u", User, "--"], Path.Combine(Programs, program), .. args]);

    private static async Task ExecuteAsync(string[] command)
    {
        // Its output is a file's: a server that is started keeps it open.
        var output = Path.GetTempFileName();
        using var process = Process.Start(new ProcessStartInfo(
            "/bin/sh", ["-c", "out=$1; shift; exec \"$@\" >\"$out\" 2>&1 </dev/null", "sh", output, .. command])
        {
            WorkingDirectory = "/",
        })!;
        await process.WaitForExitAsync();
        var said = await File.ReadAllTextAsync(output);
        File.Delete(output);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}:\n{said}");
    }
}
