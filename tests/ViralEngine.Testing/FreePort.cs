using System.Net;
using System.Net.Sockets;

namespace ViralEngine.Testing;

/// <summary>
/// Loopback ports for processes that keep theirs when they are started again: below the range that the kernel hands out
/// for outgoing connections, and each given once by this process.
/// </summary>
public static class FreePort
{
    private static int next = 10_000 + Random.Shared.Next(0, 9_000);

    public static int Take()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref next);
            if (port > 19_990)
                Interlocked.CompareExchange(ref next, 10_000, port);
            else if (IsFree(port))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
