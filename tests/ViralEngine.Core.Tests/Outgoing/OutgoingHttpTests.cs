using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Outgoing;

public sealed class OutgoingHttpTests : IDisposable
{
    private readonly OutgoingHttp outgoing = new(Options.Create(new OutgoingOptions
    {
        AllowedNetworks = ["127.0.0.0/8", "::1/128"],
        MaxResponseBytes = 1000,
    }));

    [Fact]
    public async Task Reaches_a_private_network_that_the_settings_allow()
    {
        await using var server = await LoopbackServer.StartAsync(http => http.Response.WriteAsync("hello"));

        var answer = await outgoing.Client.GetStringAsync(server.Url);

        Assert.Equal("hello", answer);
    }

    [Fact]
    public async Task Follows_no_redirect()
    {
        using var inside = new CountingListener();
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            http.Response.Redirect($"http://127.0.0.1:{inside.Port}/");
            return Task.CompletedTask;
        });

        using var answer = await outgoing.Client.GetAsync(server.Url);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal(0, inside.Connections);
    }

    [Fact]
    public async Task Keeps_no_cookies()
    {
        var seen = new List<string>();
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            seen.Add(http.Request.Headers.Cookie.ToString());
            http.Response.Cookies.Append("session", "1");
            return Task.CompletedTask;
        });

        await outgoing.Client.GetStringAsync(server.Url);
        await outgoing.Client.GetStringAsync(server.Url);

        Assert.Equal(["", ""], seen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stops_reading_an_answer_that_is_too_large(bool announced)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            if (announced)
                http.Response.ContentLength = 1_000_000;
            await http.Response.WriteAsync(new string('x', 1_000_000));
        });

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => outgoing.Client.GetStringAsync(server.Url));

        Assert.IsType<ResponseTooLargeException>(failure is HttpRequestException ? failure.InnerException : failure);
    }

    [Fact]
    public async Task A_caller_may_read_less_than_the_settings_allow()
    {
        await using var server = await LoopbackServer.StartAsync(
            http => http.Response.WriteAsync(new string('x', 500)));
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Url);
        OutgoingHttp.LimitResponse(request, 100);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => outgoing.Client.SendAsync(request));

        Assert.IsType<ResponseTooLargeException>(failure is HttpRequestException ? failure.InnerException : failure);
    }

    [Fact]
    public void Says_which_allowed_network_is_malformed()
    {
        var options = new OutgoingOptions { AllowedNetworks = ["10.0.0.0/8", "10.0.0.0/33"] };

        var problems = options.Validate(new ValidationContext(options)).ToList();

        Assert.Contains("10.0.0.0/33", Assert.Single(problems).ErrorMessage);
    }

    public void Dispose() => outgoing.Dispose();
}
