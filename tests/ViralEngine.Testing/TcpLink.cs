using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ViralEngine.Testing;

/// <summary>
/// The network between one side and a server, which may be another tomorrow, as a cloud's failover moves a name; or
/// several, which get connections in turn, as from a balancer. It passes bytes on, late when it is slow, and none at
/// all while it is cut. What was under way when it was cut arrives when it is whole again, as TCP sends anew; or the
/// connections are reset.
/// </summary>
public sealed class TcpLink : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, bool> open = [];
    private readonly CancellationTokenSource over = new();
    private readonly Task accepting;
    private volatile int[] targets;
    private int turn;
    private volatile int delay;
    private volatile TaskCompletionSource whole = Whole();

    /// <param name="targets">Ports: a connection goes to the next of them that takes it.</param>
    public TcpLink(params int[] targets)
    {
        this.targets = targets;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Connections that pass through it now.</summary>
    public int Connections => open.Count / 2;

    /// <summary>Another server answers at this address from now on: connections to the one before are cut.</summary>
    public void PointTo(int port)
    {
        targets = [port];
        Reset();
    }

    /// <summary>So long is each piece under way, in each direction.</summary>
    public void Slow(TimeSpan by) => delay = (int)by.TotalMilliseconds;

    /// <summary>Nothing passes in any direction, and nobody is told.</summary>
    public void Cut() => whole = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Heal()
    {
        delay = 0;
        whole.TrySetResult();
    }

    public void Reset()
    {
        foreach (var connection in open.Keys)
            connection.Close();
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        listener.Stop();
        Heal();
        Reset();
        await accepting;
        over.Dispose();
    }

    private static TaskCompletionSource Whole()
    {
        var whole = new TaskCompletionSource();
        whole.SetResult();
        return whole;
    }

    private async Task AcceptAsync()
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                _ = PassAsync(await listener.AcceptTcpClientAsync(over.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        open[client] = true;
        TcpClient? server = null;
        try
        {
            await whole.Task;
            server = await ConnectAsync();
            client.NoDelay = server.NoDelay = true;
            await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
        }
        catch (Exception e) when (IsGone(e))
        {
            // One side has gone; so does the other.
        }
        finally
        {
            Forget(client);
            Forget(server);
        }
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var ports = targets;
        for (var tried = 1; ; tried++)
        {
            var server = new TcpClient();
            open[server] = true;
            try
            {
                await server.ConnectAsync(
                    IPAddress.Loopback, ports[(uint)Interlocked.Increment(ref turn) % ports.Length]);
                return server;
            }
            catch (Exception e) when (IsGone(e))
            {
                Forget(server);
                if (tried == ports.Length)
                    throw;
            }
        }
    }

    private void Forget(TcpClient? connection)
    {
        if (connection is null)
            return;
        connection.Dispose();
        open.TryRemove(connection, out _);
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        try
        {
            var buffer = new byte[32 * 1024];
            while (await from.GetStream().ReadAsync(buffer) is var read and > 0)
            {
                await whole.Task;
                if (delay > 0)
                    await Task.Delay(delay);
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (IsGone(e))
        {
            // The same.
        }
    }

    private static bool IsGone(Exception e) =>
        e is IOException or SocketException or ObjectDisposedException or InvalidOperationException;
}
