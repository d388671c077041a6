using System.Net;
using System.Net.Sockets;

namespace ViralEngine.LocalHost.Worker;

/// <summary>Where this host's gRPC server listens: a free port of the loopback interface.</summary>
internal sealed class HostEndpoint
{
    public HostEndpoint()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)probe.LocalEndPoint!).Port;
        Address = new($"http://127.0.0.1:{Port}/");
    }

    public int Port { get; }

    public Uri Address { get; }
}
