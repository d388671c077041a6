using System.Net;
using System.Net.Sockets;
using ViralEngine.LocalHost.Tests.Hosting;
using ViralEngine.Testing;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>How the process ends and begins again.</summary>
public sealed class LifecycleContractTests(ScratchDatabase database) : IClassFixture<ScratchDatabase>
{
    [Fact]
    public async Task Goes_on_with_orchestrations_after_it_was_killed()
    {
        await using var app = await SampleApp.StartAsync(database, ("LocalHost__Durable__LeaseSeconds", "1"));
        string[] ids = [.. Enumerable.Range(0, 5).Select(_ => Guid.NewGuid().ToString("N"))];
        foreach (var id in ids) await SampleOrchestrations.StartAsync(app, "Steps", id, "60");
        foreach (var id in ids) await SomeStepsAsync(app, id);

        await app.KillAsync();
        await app.RestartAsync();

        foreach (var id in ids) Assert.Equal("1770", (await SampleOrchestrations.FinishedAsync(app, id)).Output);
    }

    [Fact]
    public async Task Lets_invocations_end_when_it_is_asked_to_stop_and_takes_no_more()
    {
        await using var app = await SampleApp.StartAsync(database);
        var running = app.Client.GetStringAsync("api/slow");
        await app.NotedAsync("slow began");

        var ending = app.TerminateAsync();
        await RefusedAsync(app.Client.BaseAddress!);

        Assert.Equal("done", await running);
        Assert.Equal(0, await ending);
        Assert.Equal(0, app.Logged("failed"));
    }

    [Fact]
    public async Task Cancels_what_does_not_end_by_itself_and_ends_in_time()
    {
        await using var app = await SampleApp.StartAsync(database);
        var running = app.Client.GetAsync("api/forever");
        await app.NotedAsync("forever began");

        var exitCode = await app.TerminateAsync();

        using var response = await running;
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal(0, exitCode);
        Assert.Equal(0, app.Logged("Function 'Forever'"));
    }

    [Fact]
    public async Task Gives_back_what_it_was_running_when_it_stops()
    {
        await using var first = await SampleApp.StartAsync(database, ("LocalHost__Durable__LeaseSeconds", "300"));
        var id = Guid.NewGuid().ToString("N");
        await SampleOrchestrations.StartAsync(first, "Steps", id, "100");
        await SomeStepsAsync(first, id);

        Assert.Equal(0, await first.TerminateAsync());
        await using var second = await SampleApp.StartAsync(database);

        Assert.Equal("4950", (await SampleOrchestrations.FinishedAsync(second, id)).Output);
    }

    private static async Task SomeStepsAsync(SampleApp app, string id) => await Eventually.GetAsync(
        () => SampleOrchestrations.StatusAsync(app, id),
        found => found.CustomStatus is not null and not "0",
        "some steps");

    private static async Task RefusedAsync(Uri address) => await Eventually.TrueAsync(
        async () =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address.Host, address.Port);
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
        },
        "the app to take no more connections");
}
