using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Tests.Requests;

public sealed class StarvedRequestsTests
{
    [Fact]
    public async Task A_request_that_does_not_reach_its_function_is_told_to_come_again()
    {
        var http = await AnswerAsync(
            _ => throw new TimeoutException("Timed out waiting for the function context to be set."));

        Assert.Equal(503, http.Response.StatusCode);
        Assert.Equal("1", http.Response.Headers.RetryAfter);
        var problem = JsonElement.Parse(Body(http));
        Assert.Equal("urn:viral-engine:problem:unavailable", problem.GetProperty("type").GetString());
        Assert.Equal(http.Response.Headers["X-Request-ID"], problem.GetProperty("request_id").GetString());
    }

    [Fact]
    public async Task Others_pass()
    {
        var http = await AnswerAsync(http => http.Response.WriteAsync("fine"));

        Assert.Equal((200, "fine"), (http.Response.StatusCode, Body(http)));
    }

    private static async Task<HttpContext> AnswerAsync(RequestDelegate worker)
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        var app = new ApplicationBuilder(services);
        new StarvedRequests(NullLogger<StarvedRequests>.Instance).Configure(next => next.Run(worker))(app);
        var http = new DefaultHttpContext { RequestServices = services };
        http.Response.Body = new MemoryStream();
        await app.Build()(http);
        return http;
    }

    private static string Body(HttpContext http) =>
        System.Text.Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray());
}
