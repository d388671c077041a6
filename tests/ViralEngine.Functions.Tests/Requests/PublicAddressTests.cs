using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Tests.Requests;

public sealed class PublicAddressTests
{
    [Theory]
    [InlineData(null, null, "10.1.2.3", "https", "api.example.com", "http://127.0.0.1:7071")] // nobody is trusted
    [InlineData(null, "10.0.0.0/8", "10.1.2.3", "https", "api.example.com", "https://api.example.com")]
    [InlineData(null, "10.0.0.0/8", "::ffff:10.1.2.3", "https", "api.example.com:8443", "https://api.example.com:8443")]
    [InlineData(null, "10.0.0.0/8", "192.0.2.1", "https", "evil.example.com", "http://127.0.0.1:7071")]
    [InlineData(
        null, "10.0.0.0/8", "10.1.2.3", "http, https", "evil.example.com, api.example.com", "https://api.example.com")]
    [InlineData(null, "10.0.0.0/8", "10.1.2.3", "javascript", "api.example.com/path", "http://127.0.0.1:7071")]
    [InlineData(null, "10.0.0.0/8", "10.1.2.3", null, null, "http://127.0.0.1:7071")]
    [InlineData(
        "https://api.example.com/", "10.0.0.0/8", "10.1.2.3", "http", "evil.example.com", "https://api.example.com")]
    [InlineData("https://example.com/engine", null, "10.1.2.3", null, null, "https://example.com/engine")]
    public void Is_what_is_configured_or_what_a_trusted_proxy_says(
        string? configured, string? trusted, string peer, string? proto, string? host, string expected)
    {
        var address = new PublicAddress(Options.Create(
            new EdgeOptions { PublicUrl = configured, TrustedProxies = trusted is null ? [] : [trusted] }));
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(peer) } };
        http.Request.Scheme = "http";
        http.Request.Host = new HostString("127.0.0.1:7071");
        if (proto is not null)
            http.Request.Headers["X-Forwarded-Proto"] = proto;
        if (host is not null)
            http.Request.Headers["X-Forwarded-Host"] = host;

        Assert.Equal(expected, address.Of(http.Request));
    }

    [Theory]
    [InlineData("10.1.2.3", "https://api.example.com", "for=192.0.2.60;proto=https;host=api.example.com")]
    [InlineData(
        "10.1.2.3", "https://api.example.com:8443",
        "host=evil.example.com, For=\"[2001:db8::1]:4711\"; Proto=https; Host=\"api.example.com:8443\"")]
    [InlineData("10.1.2.3", "http://127.0.0.1:7071", "for=192.0.2.60")]
    [InlineData("10.1.2.3", "http://127.0.0.1:7071", "proto=javascript;host=\"a/b\"")]
    [InlineData("192.0.2.1", "http://127.0.0.1:7071", "proto=https;host=evil.example.com")]
    public void A_trusted_proxy_may_say_it_in_the_standard_header(string peer, string expected, string forwarded)
    {
        var address = new PublicAddress(Options.Create(new EdgeOptions { TrustedProxies = ["10.0.0.0/8"] }));
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(peer) } };
        http.Request.Scheme = "http";
        http.Request.Host = new HostString("127.0.0.1:7071");
        http.Request.Headers["Forwarded"] = forwarded;

        Assert.Equal(expected, address.Of(http.Request));
    }

    [Fact]
    public void What_a_client_says_in_the_standard_header_is_not_mixed_with_what_the_proxy_says_in_the_others()
    {
        var address = new PublicAddress(Options.Create(new EdgeOptions { TrustedProxies = ["10.0.0.0/8"] }));
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse("10.1.2.3") } };
        http.Request.Scheme = "http";
        http.Request.Host = new HostString("api.example.com");
        http.Request.Headers["Forwarded"] = "proto=http;host=evil.example.com";
        http.Request.Headers["X-Forwarded-Proto"] = "https";

        Assert.Equal("https://api.example.com", address.Of(http.Request));
    }

    [Theory]
    [InlineData("example.com")]
    [InlineData("ftp://example.com")]
    [InlineData("https://example.com/?a=1")]
    public void A_setting_that_is_no_address_stops_the_app(string url) =>
        Assert.Contains(
            "Edge:PublicUrl", Assert.Single(new EdgeOptions { PublicUrl = url }.Validate(new("x"))).ErrorMessage);
}
