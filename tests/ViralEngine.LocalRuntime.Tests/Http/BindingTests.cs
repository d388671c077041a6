using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalRuntime.Tests.Hosting;
using FromBodyAttribute = Microsoft.Azure.Functions.Worker.Http.FromBodyAttribute;
using MvcFromBodyAttribute = Microsoft.AspNetCore.Mvc.FromBodyAttribute;
using MvcJsonOptions = Microsoft.AspNetCore.Mvc.JsonOptions;

namespace ViralEngine.LocalRuntime.Tests.Http;

public sealed class BindingTests
{
    private const string Id = "7f0c3f4e-64a5-4f3f-9a8b-1f2e3d4c5b6a";

    [Theory]
    [InlineData("", "|||||||")]
    [InlineData("?text=a%20b&number=-4&big=5000000000&real=2.5", "a b|-4|5000000000||||2.5|")]
    [InlineData("?ID=" + Id + "&FLAG=true", "|||" + Id + "|True|||")]
    [InlineData("?at=2026-01-02T03:04:05Z&moment=2026-01-02T03:04:05%2B02:00",
        "|||||2026-01-02T03:04:05.0000000Z||2026-01-02T03:04:05.0000000+02:00")]
    public async Task Binds_query_values_by_name(string query, string expected)
    {
        await using var app = await RunningApp.StartAsync(typeof(Bindings));

        Assert.Equal(expected, await app.Client.GetStringAsync(new Uri("/api/query" + query, UriKind.Relative)));
    }

    [Theory]
    [InlineData("/api/query?number=x")]
    [InlineData("/api/query?flag=yes")]
    [InlineData("/api/query?id=1")]
    [InlineData("/api/query?at=soon")]
    [InlineData("/api/required")]
    public async Task Fails_on_a_value_that_does_not_convert_or_is_missing(string path)
    {
        await using var app = await RunningApp.StartAsync(typeof(Bindings));

        using var response = await app.Client.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        Assert.IsType<FunctionInputConverterException>(Assert.Single(app.Logs.Errors).Exception);
    }

    [Fact]
    public async Task Prefers_the_route_to_the_query_and_falls_back_to_defaults()
    {
        await using var app = await RunningApp.StartAsync(typeof(Bindings));

        Assert.Equal("5 20", await app.Client.GetStringAsync(new Uri("/api/routed/5?page=7", UriKind.Relative)));
    }

    [Fact]
    public async Task Gives_the_request_its_context_and_its_token()
    {
        await using var app = await RunningApp.StartAsync(typeof(Bindings));

        Assert.Equal("True True True", await app.Client.GetStringAsync(new Uri("/api/contexts", UriKind.Relative)));
    }

    [Fact]
    public async Task Reads_a_json_body_with_the_options_of_mvc()
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.Services.Configure<MvcJsonOptions>(
                options => options.JsonSerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower),
            [typeof(Bindings)]);

        using var response = await app.Client.PostAsJsonAsync("/api/body", new { full_name = "Ada" });

        Assert.Equal("Ada", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{", "application/json")]
    [InlineData("", "application/json")]
    [InlineData("""{ "fullName": "Ada" }""", "text/plain")]
    public async Task Fails_on_a_body_that_is_not_the_json_it_should_be(string body, string contentType)
    {
        await using var app = await RunningApp.StartAsync(typeof(Bindings));

        using var content = new StringContent(body, Encoding.UTF8, contentType);
        using var response = await app.Client.PostAsync(new Uri("/api/body", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Leaves_a_body_parameter_of_mvc_null()
    {
        await using var app = await RunningApp.StartAsync(typeof(Bindings));

        using var response = await app.Client.PostAsJsonAsync("/api/mvc-body", new { fullName = "Ada" });

        Assert.Equal("null", await response.Content.ReadAsStringAsync());
    }

    internal sealed record Person(string FullName);

    internal static class Bindings
    {
        [Function("Query")]
        public static IResult Query(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "query")] HttpRequest request,
            string? text,
            int? number,
            long? big,
            Guid? id,
            bool? flag,
            DateTime? at,
            double? real,
            DateTimeOffset? moment) =>
            Results.Text(FormattableString.Invariant($"{text}|{number}|{big}|{id}|{flag}|{at:O}|{real}|{moment:O}"));

        [Function("Required")]
        public static IResult Required(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "required")] HttpRequest request, int number) =>
            Results.Text($"{number}");

        [Function("Routed")]
        public static IResult Routed(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "routed/{page:int}")] HttpRequest request,
            int page,
            int limit = 20) => Results.Text($"{page} {limit}");

        [Function("Contexts")]
        public static IResult Contexts(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "contexts")] HttpRequest request,
            HttpContext http,
            FunctionContext context,
            CancellationToken ct) =>
            Results.Text($"{request == http.Request} {context.GetHttpContext() == http} {ct.CanBeCanceled}");

        [Function("Body")]
        public static IResult Body(
            [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "body")] HttpRequest request,
            [FromBody] Person person) => Results.Text(person.FullName);

        [Function("MvcBody")]
        public static IResult MvcBody(
            [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "mvc-body")] HttpRequest request,
            [MvcFromBody] Person? person) => Results.Text(person?.FullName ?? "null");
    }
}
