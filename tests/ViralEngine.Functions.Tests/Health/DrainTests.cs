using System.Diagnostics;
using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Health;

/// <summary>An orderly shutdown loses nothing and does not take long.</summary>
public sealed class DrainTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task On_sigterm_requests_in_flight_are_answered_and_a_running_task_is_given_back()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 1500 });
        var running = await tenant.SubmitAsync(new { agent_id = slow, description = "one two three four five six seven eight nine ten" });
        await tenant.WaitForAsync(running, "in_progress");
        using var body = new HeldBody("""{"agent_id":"echo","description":"sent while it stops"}""");
        var inFlight = tenant.Owner.PostAsync("/api/tasks", body);
        await body.HalfSent.WaitAsync(Eventually.Bound);

        var clock = Stopwatch.StartNew();
        var ended = app.TerminateAsync();
        await Eventually.TrueAsync(async () => !await AcceptsAsync(app.Port), "the app to take no new connections");
        body.Release();
        var answer = (await inFlight).Expect(HttpStatusCode.Created);
        var exitCode = await ended;

        Assert.True(exitCode == 0, $"Exit code {exitCode}:\n{app.Output}");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"It took {clock.Elapsed}.");
        await app.RestartAsync();
        await tenant.WaitForAsync(running, "completed");
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
