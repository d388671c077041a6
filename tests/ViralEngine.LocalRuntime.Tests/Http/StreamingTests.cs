using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalRuntime.Tests.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Http;

public sealed class StreamingTests
{
    [Theory]
    [InlineData("/api/by-hand")]
    [InlineData("/api/by-result")]
    public async Task Sends_each_event_when_it_is_written(string path)
    {
        var steps = new Steps();
        await using var app = await StartAsync(steps);
        steps.Gate.Release();
        await using var stream = await app.Client.GetStreamAsync(new Uri(path, UriKind.Relative));
        using var reader = new StreamReader(stream);

        for (var step = 1; step <= 3; step++)
        {
            Assert.Equal($"data: {step}", await reader.ReadLineAsync());
            Assert.Equal("", await reader.ReadLineAsync());
            steps.Gate.Release();
        }

        Assert.Null(await reader.ReadLineAsync());
    }

    [Fact]
    public async Task Cancels_the_function_of_a_client_that_leaves_and_logs_no_error()
    {
        var steps = new Steps();
        await using var app = await StartAsync(steps);
        steps.Gate.Release();
        var stream = await app.Client.GetStreamAsync(new Uri("/api/by-hand", UriKind.Relative));
        await stream.ReadExactlyAsync(new byte[4]);

        await stream.DisposeAsync();

        await steps.Cancelled.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await app.DisposeAsync();
        Assert.Empty(app.Logs.Errors);
    }

    private static Task<RunningApp> StartAsync(Steps steps) =>
        RunningApp.StartAsync(builder => builder.Services.AddSingleton(steps), [typeof(Streams)]);

    internal sealed class Steps
    {
        public SemaphoreSlim Gate { get; } = new(0);

        public TaskCompletionSource Cancelled { get; } = new();

        public async IAsyncEnumerable<int> CountAsync([EnumeratorCancellation] CancellationToken ct)
        {
            for (var step = 1; step <= 3; step++)
            {
                try
                {
                    await Gate.WaitAsync(ct);
                }
                catch (OperationCanceledException)
                {
                    Cancelled.TrySetResult();
                    throw;
                }

                yield return step;
            }
        }
    }

    internal sealed class Streams(Steps steps)
    {
        [Function("ByHand")]
        public async Task ByHandAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "by-hand")] HttpRequest request,
            CancellationToken ct)
        {
            var response = request.HttpContext.Response;
            response.ContentType = "text/event-stream";
            await foreach (var step in steps.CountAsync(ct))
            {
                await response.WriteAsync($"data: {step}\n\n", ct);
                await response.Body.FlushAsync(ct);
            }
        }

        [Function("ByResult")]
        public IResult ByResult(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "by-result")] HttpRequest request,
            CancellationToken ct) =>
            TypedResults.ServerSentEvents(steps.CountAsync(ct));
    }
}
