using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class MiddlewareTests
{
    private static readonly Uri Path = new("/api/echo", UriKind.Relative);

    [Fact]
    public async Task Runs_middleware_in_the_order_it_was_added()
    {
        await using var app = await RunningApp.StartAsync(
            builder =>
            {
                builder.UseMiddleware<Outer>();
                builder.UseMiddleware((context, next) => Note(context, "inner", next));
                builder.UseWhen<Outer>(context => context.FunctionDefinition.Name == "Other");
                builder.UseWhen(context => context.FunctionDefinition.Name == "Echo", (context, next) =>
                    Note(context, "chosen", next));
            },
            [typeof(Functions)]);

        Assert.Equal("outer,inner,chosen,function", await app.Client.GetStringAsync(Path));
    }

    [Fact]
    public async Task Executes_a_result_that_middleware_sets_after_it_returns()
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.UseMiddleware(async (context, next) =>
            {
                await next();
                var function = Assert.IsType<IResult>(context.GetInvocationResult().Value, exactMatch: false);
                Assert.False(context.GetHttpContext()!.Response.HasStarted);
                context.GetInvocationResult().Value = Results.Text($"not {function.GetType().Name}");
            }),
            [typeof(Functions)]);

        Assert.StartsWith("not ", await app.Client.GetStringAsync(Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lets_middleware_answer_in_place_of_the_function()
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.UseMiddleware((context, _) =>
            {
                context.GetInvocationResult().Value = Results.StatusCode(403);
                return Task.CompletedTask;
            }),
            [typeof(Functions)]);

        using var response = await app.Client.GetAsync(Path);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Lets_middleware_turn_a_failure_into_a_response()
    {
        await using var app = await RunningApp.StartAsync(
            builder => builder.UseMiddleware(async (context, next) =>
            {
                try
                {
                    await next();
                }
                catch (InvalidOperationException exception)
                {
                    context.GetInvocationResult().Value = Results.Text(exception.Message, statusCode: 409);
                }
            }),
            [typeof(Functions)]);

        using var response = await app.Client.GetAsync(new Uri("/api/fails", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("on purpose", await response.Content.ReadAsStringAsync());
        Assert.Empty(app.Logs.Errors);
    }

    [Fact]
    public async Task Describes_the_function_to_middleware()
    {
        FunctionContext? seen = null;
        object? word = null;
        await using var app = await RunningApp.StartAsync(
            builder => builder.UseMiddleware((context, next) =>
            {
                seen = context;
                word = context.BindingContext.BindingData["WORD"];
                return next();
            }),
            [typeof(Functions)]);

        await app.Client.GetStringAsync(new Uri("/api/echo?word=hi", UriKind.Relative));

        var definition = seen!.FunctionDefinition;
        Assert.Equal("Echo", definition.Name);
        Assert.Equal(typeof(Functions).FullName + ".Echo", definition.EntryPoint);
        Assert.Equal(typeof(Functions).Assembly.Location, definition.PathToAssembly);
        var (name, binding) = Assert.Single(definition.InputBindings);
        Assert.Equal(("request", "request", "httpTrigger"), (name, binding.Name, binding.Type));
        Assert.Equal(["request", "context"], definition.Parameters.Select(parameter => parameter.Name));
        Assert.Equal(definition.Id, seen.FunctionId);
        Assert.True(Guid.TryParse(seen.InvocationId, out _));
        Assert.Equal("hi", word);
        Assert.Equal(0, seen.RetryContext.RetryCount);
    }

    [Fact]
    public async Task Shares_one_scope_among_middleware_request_and_function()
    {
        await using var app = await RunningApp.StartAsync(
            builder =>
            {
                builder.Services.AddScoped<Scoped>();
                builder.UseMiddleware((context, next) =>
                {
                    context.Items["scoped"] = context.InstanceServices.GetRequiredService<Scoped>();
                    return next();
                });
            },
            [typeof(ScopeFunctions)]);

        var first = await app.Client.GetStringAsync(new Uri("/api/scope", UriKind.Relative));
        var second = await app.Client.GetStringAsync(new Uri("/api/scope", UriKind.Relative));

        Assert.StartsWith("True True ", first, StringComparison.Ordinal);
        Assert.NotEqual(first, second);
    }

    private static Task Note(FunctionContext context, string word, Func<Task> next)
    {
        context.Items["seen"] = context.Items.TryGetValue("seen", out var seen) ? $"{seen},{word}" : word;
        return next();
    }

    internal sealed class Outer : IFunctionsWorkerMiddleware
    {
        public Task Invoke(FunctionContext context, FunctionExecutionDelegate next) =>
            Note(context, "outer", () => next(context));
    }

    internal sealed class Scoped
    {
        public Guid Id { get; } = Guid.NewGuid();
    }

    internal static class Functions
    {
        [Function("Echo")]
        public static IResult Echo(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "echo")] HttpRequest request,
            FunctionContext context) =>
            Results.Text(context.Items.TryGetValue("seen", out var seen) ? $"{seen},function" : "function");

        [Function("Fails")]
        public static IResult Fails(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "fails")] HttpRequest request) =>
            throw new InvalidOperationException("on purpose");
    }

    internal sealed class ScopeFunctions(Scoped scoped)
    {
        [Function("Scope")]
        public IResult Scope(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "scope")] HttpRequest request,
            FunctionContext context) =>
            Results.Text(
                $"{scoped == context.Items["scoped"]} "
                + $"{scoped == request.HttpContext.RequestServices.GetRequiredService<Scoped>()} {scoped.Id}");
    }
}
