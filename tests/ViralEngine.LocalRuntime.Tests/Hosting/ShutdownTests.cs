using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

public sealed class ShutdownTests
{
    private readonly Work work = new();

    [Fact]
    public async Task Lets_a_running_request_end_and_takes_no_more()
    {
        await using var app = await StartAsync(TimeSpan.FromMinutes(1));
        var running = app.Client.GetStringAsync(new Uri("/api/work", UriKind.Relative));
        await work.Started.Task;

        var stopping = app.Host.StopAsync();
        await RefusalAsync(app.Client.BaseAddress!);
        work.Ended.SetResult("done");

        Assert.Equal("done", await running);
        await stopping;
    }

    [Fact]
    public async Task Cancels_functions_that_do_not_end_by_themselves()
    {
        await using var app = await StartAsync(TimeSpan.FromSeconds(2));
        var running = app.Client.GetAsync(new Uri("/api/work", UriKind.Relative));
        await work.Started.Task;

        await app.Host.StopAsync();
        using var response = await running;

        Assert.Equal(500, (int)response.StatusCode);
        Assert.True(work.Ended.Task.IsCanceled);
        Assert.Empty(app.Logs.Errors);
    }

    private Task<RunningApp> StartAsync(TimeSpan timeout) => RunningApp.StartAsync(
        builder => builder.Services
            .AddSingleton(work)
            .Configure<HostOptions>(options => options.ShutdownTimeout = timeout),
        [typeof(Slow)]);

    /// <summary>Waits until the address takes no new connection.</summary>
    private static async Task RefusalAsync(Uri address)
    {
        while (true)
        {
            using var client = new HttpClient();
            try
            {
                using var response = await client.GetAsync(new Uri(address, "/nothing"));
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    internal sealed class Work
    {
        public TaskCompletionSource Started { get; } = new();

        public TaskCompletionSource<string> Ended { get; } = new();
    }

    internal sealed class Slow(Work work)
    {
        [Function("Work")]
        public async Task<IResult> WorkAsync(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "work")] HttpRequest request,
            CancellationToken ct)
        {
            await using var registration = ct.Register(() => work.Ended.TrySetCanceled(ct));
            work.Started.SetResult();
            return Results.Text(await work.Ended.Task);
        }
    }
}
