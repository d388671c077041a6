using System.Net;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Health;

/// <summary>An orderly shutdown loses nothing, and does not wait for what another instance can do.</summary>
public sealed class DrainTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task On_sigterm_requests_in_flight_are_answered_and_a_running_task_is_given_back()
    {
        var calls = 0;
        var cut = new TaskCompletionSource();
        await using var provider = await LoopbackServer.StartAsync(async http =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                http.RequestAborted.Register(cut.SetResult);
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
            }

            await http.Response.WriteAsync("done");
        });
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var endless = await tenant.NewHttpAsync(new { url = provider.Url });
        var running = await tenant.SubmitAsync(new { agent_id = endless, description = "hello" });
        await Eventually.TrueAsync(() => calls == 1, "the call to be made");
        using var body = new HeldBody("""{"agent_id":"echo","description":"sent while it stops"}""");
        var inFlight = tenant.Owner.PostAsync("/api/tasks", body);
        await body.HalfSent.WaitAsync(Eventually.Bound);

        var ended = app.TerminateAsync();
        await Eventually.TrueAsync(async () => !await AcceptsAsync(app.Port), "the app to take no new connections");
        body.Release();
        var answer = (await inFlight).Expect(HttpStatusCode.Created);
        var exitCode = await ended;

        Assert.True(exitCode == 0, $"Exit code {exitCode}:\n{app.Output}");
        await cut.Task.WaitAsync(Eventually.Bound);
        await app.RestartAsync();
        var done = (await tenant.WaitForAsync(running, "completed")).Json;
        Assert.Equal("done", done.GetProperty("result").GetString());
        await tenant.WaitForAsync(answer.Json.GetProperty("id").GetString()!, "completed");
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
