using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class BuilderTests
{
    [Fact]
    public void Is_both_a_host_builder_and_a_worker_builder()
    {
        var builder = new FunctionsApplicationBuilder(["--greeting", "hello"], AppContext.BaseDirectory, []);

        Assert.Same(builder.Services, ((IHostApplicationBuilder)builder).Services);
        Assert.Same(builder.Services, ((IFunctionsWorkerApplicationBuilder)builder).Services);
        Assert.Same(builder, builder.ConfigureFunctionsWebApplication());
        Assert.Equal("hello", builder.Configuration["greeting"]);
    }

    [Fact]
    public void Finds_the_functions_of_the_assembly_that_creates_the_builder()
    {
        // This assembly has methods that cannot be functions, which only a search of the whole of it meets.
        Assert.Throws<InvalidOperationException>(() => FunctionsApplication.CreateBuilder([]));
    }

    [Fact]
    public void Builds_once()
    {
        var builder = new FunctionsApplicationBuilder([], AppContext.BaseDirectory, []);
        using var host = builder.Build();

        Assert.Throws<InvalidOperationException>(builder.Build);
        Assert.Throws<InvalidOperationException>(() => builder.UseMiddleware((_, next) => next()));
    }

    [Fact]
    public void Refuses_http_functions_of_an_app_that_does_not_ask_for_requests()
    {
        var builder = new FunctionsApplicationBuilder([], AppContext.BaseDirectory, [typeof(One)]);

        var refusal = Assert.Throws<InvalidOperationException>(builder.Build);

        Assert.Contains("ConfigureFunctionsWebApplication", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_two_functions_of_one_name()
    {
        var refusal = Assert.Throws<InvalidOperationException>(
            () => new FunctionsApplicationBuilder([], AppContext.BaseDirectory, [typeof(One), typeof(Other)]));

        Assert.Equal("Two functions are named 'twin'. Names must be unique.", refusal.Message);
    }

    [Theory]
    [InlineData(typeof(Untriggered), "Function 'Untriggered' has 0 triggers. It needs one.")]
    [InlineData(typeof(Hidden), "Function 'Hidden' is not public: the Functions host would not find it.")]
    [InlineData(typeof(Mistaken), "Function 'Mistaken': parameter 'name' should be HttpRequest, as its trigger is.")]
    public void Refuses_a_method_that_cannot_be_a_function(Type functions, string expected)
    {
        var refusal = Assert.Throws<InvalidOperationException>(
            () => new FunctionsApplicationBuilder([], AppContext.BaseDirectory, [functions]));

        Assert.Equal(expected, refusal.Message);
    }

    [Fact]
    public async Task Disposes_what_it_made_for_an_invocation()
    {
        var disposals = new List<string>();
        await using var app = await RunningApp.StartAsync(
            builder => builder.Services.AddSingleton(disposals).AddScoped<Resource>(), [typeof(Disposing)]);

        await app.Client.GetStringAsync(new Uri("/api/disposing", UriKind.Relative));
        await app.Host.StopAsync();

        Assert.Equal(["functions", "resource"], disposals);
    }

    internal sealed class Resource(List<string> disposals) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            disposals.Add("resource");
            return ValueTask.CompletedTask;
        }
    }

    internal sealed class Disposing(List<string> disposals, Resource resource) : IDisposable
    {
        public void Dispose() => disposals.Add("functions");

        [Function("Disposing")]
        public IResult Run(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "disposing")] HttpRequest request) =>
            Results.Text($"{resource is not null}");
    }

    internal static class One
    {
        [Function("Twin")]
        public static void Run([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request)
        {
        }
    }

    internal static class Other
    {
        [Function("twin")]
        public static void Run([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request)
        {
        }
    }

    internal static class Untriggered
    {
        [Function("Untriggered")]
        public static void Run(HttpRequest request)
        {
        }
    }

    internal static class Hidden
    {
        [Function("Hidden")]
        internal static void Run([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request)
        {
        }
    }

    internal static class Mistaken
    {
        [Function("Mistaken")]
        public static void Run([HttpTrigger(AuthorizationLevel.Anonymous, "get")] string name)
        {
        }
    }
}
