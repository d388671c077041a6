using System.Net;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Functions.Audit;

/// <summary>
/// From where a request comes. The Functions host hands requests on over loopback; then it is the last address of
/// <c>X-Forwarded-For</c>, the one that the front end itself has seen. What stands before it in the list anybody may have written.
/// </summary>
internal static class ClientAddress
{
    public static IPAddress? Of(HttpContext http)
    {
        var peer = http.Connection.RemoteIpAddress;
        if (peer is null || IPAddress.IsLoopback(peer))
        {
            var last = http.Request.Headers["X-Forwarded-For"].ToString().Split(',')[^1].Trim();
            if (IPEndPoint.TryParse(last, out var forwarded))
                return Plain(forwarded.Address);
        }

        return peer is null ? null : Plain(peer);
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
