using System.Globalization;
using System.Net.Sockets;

namespace ViralEngine.Testing;

/// <summary>
/// A Redis-protocol server of a test's own, for tests of what happens while Redis is away. Other tests share the one of
/// <see cref="TestServers.Redis"/>.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private readonly string password = Guid.NewGuid().ToString("n");
    private ChildProcess? process;

    private RedisProcess()
    {
    }

    public int Port { get; } = FreePort.Take();

    public string ConnectionString => ConnectionBy(Port);

    /// <summary>The connection string by way of another port, which passes on to this one.</summary>
    public string ConnectionBy(int port) => $"127.0.0.1:{port},password={password},abortConnect=false";

    public static async Task<RedisProcess> StartAsync()
    {
        var redis = new RedisProcess();
        await redis.RestartAsync();
        return redis;
    }

    /// <summary>SIGKILL: everything it held is gone.</summary>
    public async Task KillAsync()
    {
        if (process is { } running)
            await running.DisposeAsync();
        process = null;
    }

    /// <summary>Starts it again on the same port, empty.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        process = ChildProcess.Start(
            Repository.Program("tools/ViralEngine.Dev"),
            ["redis", "--port", Port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string?> { ["VIRAL_REDIS_PASSWORD"] = password });
        await Eventually.TrueAsync(IsListeningAsync, "Redis to listen");
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private async Task<bool> IsListeningAsync()
    {
        if (process!.HasExited)
            throw new InvalidOperationException($"Redis did not start:\n{process.Output}");
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
