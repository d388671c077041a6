using System.Net.Sockets;

namespace ViralEngine.Testing;

/// <summary>
/// A PgBouncer of a test's own in transaction mode, before a <see cref="PostgresServer"/> or a link to one.
/// </summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("viral-engine-test-").FullName;
    private ChildProcess process = null!;

    private PgBouncer()
    {
    }

    public int Port { get; } = FreePort.Take();

    public static async Task<PgBouncer> StartAsync(int postgresPort)
    {
        var bouncer = new PgBouncer();
        var users = bouncer.Write("users.txt", "\"app\" \"\"\n");
        var settings = bouncer.Write(
            "pgbouncer.ini",
            $"""
            [databases]
            * = host=127.0.0.1 port={postgresPort}

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {bouncer.Port}
            unix_socket_dir =
            pool_mode = transaction
            auth_type = trust
            auth_file = {users}
            max_client_conn = 1000
            server_login_retry = 1
            ignore_startup_parameters = extra_float_digits
            """);
        // It refuses to be root.
        string[] asOther = Environment.UserName == "root" ? ["-u", "postgres"] : [];
        bouncer.process = ChildProcess.Start(settings, asOther, new Dictionary<string, string?>(), FindProgram());
        await Eventually.TrueAsync(bouncer.IsListeningAsync, "PgBouncer to listen");
        return bouncer;
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static string FindProgram() =>
        (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin").Split(':')
            .Select(folder => Path.Combine(folder, "pgbouncer"))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("PgBouncer is missing. On Debian or Ubuntu: sudo apt install pgbouncer");

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        return path;
    }

    private async Task<bool> IsListeningAsync()
    {
        if (process.HasExited)
            throw new InvalidOperationException($"PgBouncer did not start:\n{process.Output}");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
