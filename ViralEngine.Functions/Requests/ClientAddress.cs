using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// The client's address: as the configured front end reports it, else the peer's. A host on the same machine forwards
/// requests over loopback; then it is the last address of <c>X-Forwarded-For</c>, which the front end itself has seen.
/// Earlier addresses, and headers that no front end overwrites, can be forged.
/// </summary>
internal sealed class ClientAddress(IOptions<EdgeOptions> options)
{
    public IPAddress? Of(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (options.Value.FrontDoorId is { Length: > 0 } id
            && string.Equals(headers["X-Azure-FDID"], id, StringComparison.OrdinalIgnoreCase)
            && Parse(headers["X-Azure-ClientIP"]) is { } behindFrontDoor)
        {
            return behindFrontDoor;
        }

        if (options.Value.ClientAddressHeader is { Length: > 0 } header && Parse(headers[header]) is { } told)
            return told;

        var peer = http.Connection.RemoteIpAddress;
        var isProxy = peer is null || IPAddress.IsLoopback(peer) || options.Value.Trusts(peer);
        var forwarded = headers.TryGetValue("X-Forwarded-For", out var plain)
            ? plain.ToString()
            : ForwardedHeader.Last(headers, "for");
        return (isProxy ? Parse(forwarded) : null) ?? Plain(peer);
    }

    /// <summary>The last of the addresses in a header, each with or without a port.</summary>
    private static IPAddress? Parse(string? header) =>
        IPEndPoint.TryParse((header ?? "").Split(',')[^1].Trim(), out var last) ? Plain(last.Address) : null;

    private static IPAddress? Plain(IPAddress? address) =>
        address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
