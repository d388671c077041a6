using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Tests.Audit;

public sealed class ClientAddressTests
{
    private const string FrontDoor = "a0a0a0a0-bbbb-cccc-dddd-e1e1e1e1e1e1";

    [Theory]
    // Without a front end the peer is the caller, whatever it claims.
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7", "203.0.113.7", "X-Forwarded-For: 198.51.100.1")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    // Handed on over loopback: the last address, which the front end wrote.
    [InlineData("127.0.0.1", "198.51.100.1", "X-Forwarded-For: 198.51.100.1")]
    [InlineData("::1", "198.51.100.1", "X-Forwarded-For: 10.0.0.1, 198.51.100.1:4711")]
    [InlineData("127.0.0.1", "2001:db8::9", "X-Forwarded-For: [2001:db8::9]:443")]
    [InlineData("127.0.0.1", "127.0.0.1", "X-Forwarded-For: nonsense")]
    [InlineData("127.0.0.1", "198.51.100.1", "Forwarded: for=10.0.0.1, for=198.51.100.1;proto=https")]
    [InlineData("127.0.0.1", "2001:db8::9", "Forwarded: For=\"[2001:db8::9]:4711\"")]
    [InlineData("127.0.0.1", "127.0.0.1", "Forwarded: for=_hidden")]
    [InlineData("127.0.0.1", "198.51.100.1", "X-Forwarded-For: 198.51.100.1", "Forwarded: for=203.0.113.9")]
    [InlineData("203.0.113.7", "203.0.113.7", "Forwarded: for=198.51.100.1")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    // No Front Door is configured, so none is believed.
    [InlineData("203.0.113.7", "203.0.113.7", "X-Azure-ClientIP: 198.51.100.1", "X-Azure-FDID: " + FrontDoor)]
    public void Without_a_front_end_configured(string peer, string expected, params string[] headers) =>
        Assert.Equal(expected, Of(new EdgeOptions(), peer, headers));

    [Theory]
    [InlineData("198.51.100.1", "X-Azure-ClientIP: 198.51.100.1", "X-Azure-FDID: " + FrontDoor)]
    [InlineData("203.0.113.7", "X-Azure-ClientIP: 198.51.100.1", "X-Azure-FDID: somebody-elses")]
    [InlineData("203.0.113.7", "X-Azure-ClientIP: 198.51.100.1")]
    [InlineData("203.0.113.7", "X-Azure-ClientIP: nonsense", "X-Azure-FDID: " + FrontDoor)]
    public void Behind_a_front_door_of_ones_own(string expected, params string[] headers) =>
        Assert.Equal(expected, Of(new EdgeOptions { FrontDoorId = FrontDoor }, "203.0.113.7", headers));

    [Theory]
    [InlineData("198.51.100.1", "Client-IP: 198.51.100.1:50123")]
    [InlineData("203.0.113.7", "X-Forwarded-For: 198.51.100.1")]
    [InlineData("203.0.113.7")]
    public void Behind_a_front_end_that_writes_a_header(string expected, params string[] headers) =>
        Assert.Equal(expected, Of(new EdgeOptions { ClientAddressHeader = "Client-IP" }, "203.0.113.7", headers));

    private static string? Of(EdgeOptions options, string peer, string[] headers)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        foreach (var header in headers)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            http.Request.Headers[header[..colon]] = header[(colon + 1)..].Trim();
        }

        return new ClientAddress(Options.Create(options)).Of(http)?.ToString();
    }
}
