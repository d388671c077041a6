using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.LocalRuntime.Tests.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Http;

public sealed class RoutingTests
{
    [Theory]
    [InlineData("/api/things/7f0c3f4e-64a5-4f3f-9a8b-1f2e3d4c5b6a", "thing 7f0c3f4e-64a5-4f3f-9a8b-1f2e3d4c5b6a")]
    [InlineData("/api/pages/3", "page 3")]
    [InlineData("/api/pages", "page none")]
    [InlineData("/api/files/a/b/c.txt", "file a/b/c.txt")]
    [InlineData("/api/ByName", "by name")]
    [InlineData("/API/byname", "by name")]
    public async Task Answers_routes_as_their_templates_say(string path, string expected)
    {
        await using var app = await RunningApp.StartAsync(typeof(Routes));

        var body = await app.Client.GetStringAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(expected, body);
    }

    [Theory]
    [InlineData("GET", "/api/unknown")]
    [InlineData("GET", "/ByName")]
    [InlineData("GET", "/api/things/not-a-guid")]
    [InlineData("GET", "/api/pages/x")]
    [InlineData("POST", "/api/ByName")]
    [InlineData("HEAD", "/api/ByName")]
    [InlineData("OPTIONS", "/api/ByName")]
    public async Task Answers_404_to_unknown_routes_and_to_wrong_methods_alike(string method, string path)
    {
        await using var app = await RunningApp.StartAsync(typeof(Routes));

        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await app.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("PURGE")]
    public async Task Answers_every_method_when_a_trigger_names_none(string method)
    {
        await using var app = await RunningApp.StartAsync(typeof(Routes));

        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/any");
        using var response = await app.Client.SendAsync(request);

        Assert.Equal(method, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "v1" } } }""", "/v1/ByName")]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "" } } } // a comment""", "/ByName")]
    [InlineData("""{ "version": "2.0" }""", "/api/ByName")]
    public async Task Takes_the_route_prefix_from_the_host_file(string hostJson, string path)
    {
        var folder = Directory.CreateTempSubdirectory("viral-engine-host-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "host.json"), hostJson);
        await using var app = await RunningApp.StartAsync(_ => { }, [typeof(Routes)], folder);

        var body = await app.Client.GetStringAsync(new Uri(path, UriKind.Relative));

        Assert.Equal("by name", body);
        Directory.Delete(folder, recursive: true);
    }

    internal static class Routes
    {
        [Function("ByName")]
        public static IResult ByName([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
            Results.Text("by name");

        [Function("Thing")]
        public static IResult Thing(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "things/{id:guid}")] HttpRequest request,
            Guid id) => Results.Text($"thing {id}");

        [Function("Page")]
        public static IResult Page(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "/pages/{number:int?}")] HttpRequest request,
            int? number) => Results.Text($"page {number?.ToString() ?? "none"}");

        [Function("FileAt")]
        public static IResult FileAt(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files/{*rest}")] HttpRequest request,
            string rest) => Results.Text($"file {rest}");

        [Function("Any")]
        public static IResult Any(
            [HttpTrigger(AuthorizationLevel.Anonymous, Route = "any")] HttpRequest request) =>
            Results.Text(request.Method);
    }
}
