using System.Net;
using System.Net.Sockets;

namespace ViralEngine.Core.Outgoing;

/// <summary>Resolves a host's addresses.</summary>
public delegate Task<IPAddress[]> HostResolver(string host, CancellationToken ct);

/// <summary>
/// Opens the connections of outgoing calls. Resolves the name itself and connects to the checked address, so that DNS
/// rebinding has no effect.
/// </summary>
public sealed class GuardedConnector(AddressPolicy addresses, HostResolver resolve)
{
    /// <exception cref="OutgoingRefusedException">The host has a forbidden address; nothing was sent.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        if (!UrlPolicy.AllowsPort(port))
            throw new OutgoingRefusedException(host);

        var candidates = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, ct);

        // One forbidden address rejects the name: no legitimate public service mixes the two.
        if (candidates.Any(a => !addresses.Allows(a)))
            throw new OutgoingRefusedException(host);

        return await ConnectToAnyAsync(host, candidates, port, ct);
    }

    private async Task<Stream> ConnectToAnyAsync(string host, IPAddress[] candidates, int port, CancellationToken ct)
    {
        var failure = new SocketException((int)SocketError.HostNotFound);
        foreach (var address in candidates)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), ct);
                if (socket.RemoteEndPoint is not IPEndPoint remote || !addresses.Allows(remote.Address))
                    throw new OutgoingRefusedException(host);

                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                failure = e;
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw failure;
    }
}
