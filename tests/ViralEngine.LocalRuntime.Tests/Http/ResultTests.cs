using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalRuntime.Tests.Hosting;
using HttpJsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace ViralEngine.LocalRuntime.Tests.Http;

public sealed class ResultTests
{
    [Theory]
    [InlineData("result", 201, """{"fullName":"Ada"}""")]
    [InlineData("later-result", 202, "")]
    [InlineData("action-result", 418, "short and stout")]
    [InlineData("self", 203, "by hand")]
    [InlineData("text", 200, "")]
    [InlineData("object", 200, "")]
    [InlineData("nothing", 200, "")]
    [InlineData("value-task", 200, "valued")]
    [InlineData("failure", 500, "")]
    [InlineData("failing-result", 500, "")]
    public async Task Answers_what_the_function_left(string path, int status, string body)
    {
        await using var app = await RunningApp.StartAsync(typeof(Answers));

        using var response = await app.Client.GetAsync(new Uri($"/api/{path}", UriKind.Relative));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
        Assert.Equal(status == 500 ? 1 : 0, app.Logs.Errors.Count);
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Cuts_the_connection_when_a_function_fails_in_the_middle_of_its_answer()
    {
        await using var app = await RunningApp.StartAsync(typeof(Answers));

        await Assert.ThrowsAsync<HttpRequestException>(
            () => app.Client.GetStringAsync(new Uri("/api/half", UriKind.Relative)));

        Assert.Single(app.Logs.Errors);
    }

    [Fact]
    public async Task Writes_results_with_the_apps_json_options()
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.Services.Configure<HttpJsonOptions>(
                options => options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower),
            [typeof(Answers)]);

        var body = await app.Client.GetStringAsync(new Uri("/api/result", UriKind.Relative));

        Assert.Equal("""{"full_name":"Ada"}""", body);
    }

    [Fact]
    public async Task Limits_the_body_as_the_apps_server_options_say()
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.Services.Configure<KestrelServerOptions>(
                options => options.Limits.MaxRequestBodySize = 10),
            [typeof(Answers)]);

        using var fits = await app.Client.PostAsync(
            new Uri("/api/length", UriKind.Relative), new ByteArrayContent(new byte[10]));
        using var tooLong = await app.Client.PostAsync(
            new Uri("/api/length", UriKind.Relative), new ByteArrayContent(new byte[11]));

        Assert.Equal(10, await fits.Content.ReadFromJsonAsync<int>());
        Assert.Equal(HttpStatusCode.InternalServerError, tooLong.StatusCode);
    }

    internal sealed record Person(string FullName);

    internal static class Answers
    {
        [Function("Result")]
        public static IResult Result(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "result")] HttpRequest request) =>
            TypedResults.Created("/api/people/1", new Person("Ada"));

        [Function("LaterResult")]
        public static async Task<IResult> LaterResultAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "later-result")] HttpRequest request)
        {
            await Task.Yield();
            return Results.StatusCode(202);
        }

        [Function("ActionResult")]
        public static async Task<IActionResult> ActionResultAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "action-result")] HttpRequest request)
        {
            await Task.Yield();
            return new ContentResult { StatusCode = 418, Content = "short and stout" };
        }

        [Function("Self")]
        public static Task SelfAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "self")] HttpRequest request)
        {
            request.HttpContext.Response.StatusCode = 203;
            return request.HttpContext.Response.WriteAsync("by hand");
        }

        [Function("Text")]
        public static string Text(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "text")] HttpRequest request) => "dropped";

        [Function("Object")]
        public static Task<Person> ObjectAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "object")] HttpRequest request) =>
            Task.FromResult(new Person("Ada"));

        [Function("Nothing")]
        public static void Nothing(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "nothing")] HttpRequest request)
        {
        }

        [Function("ValueTask")]
        public static async ValueTask<IResult> ValueTaskAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "value-task")] HttpRequest request)
        {
            await Task.Yield();
            return Results.Text("valued");
        }

        [Function("Failure")]
        public static IResult Failure(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "failure")] HttpRequest request) =>
            throw new InvalidOperationException("on purpose");

        [Function("FailingResult")]
        public static IResult FailingResult(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "failing-result")] HttpRequest request) =>
            Results.Json(new Func<int>(() => 1));

        [Function("Half")]
        public static async Task HalfAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "half")] HttpRequest request)
        {
            await request.HttpContext.Response.WriteAsync("half");
            await request.HttpContext.Response.Body.FlushAsync();
            throw new InvalidOperationException("on purpose");
        }

        [Function("Length")]
        public static async Task<IResult> LengthAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "length")] HttpRequest request)
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            return Results.Json(body.Length);
        }
    }
}
