using System.Net;
using System.Net.Sockets;

namespace ViralEngine.Core.Tests.Outgoing;

/// <summary>A server on every loopback address, IPv4 and IPv6, that only counts who connects.</summary>
internal sealed class CountingListener : IDisposable
{
    private readonly TcpListener listener = TcpListener.Create(0);
    private int connections;

    public CountingListener()
    {
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Connections so far, those still in the backlog included.</summary>
    public int Connections => Volatile.Read(ref connections) + (listener.Pending() ? 1 : 0);

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptSocketAsync();
                Interlocked.Increment(ref connections);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed: the test is over.
        }
    }
}
