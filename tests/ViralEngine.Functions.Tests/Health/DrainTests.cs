using System.Diagnostics;
using System.Net;
using System.Text;
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

    /// <summary>JSON whose second half is sent when it is let.</summary>
    private sealed class HeldBody : HttpContent
    {
        private readonly byte[] json;
        private readonly TaskCompletionSource halfSent = new();
        private readonly TaskCompletionSource released = new();

        public HeldBody(string json)
        {
            this.json = Encoding.UTF8.GetBytes(json);
            Headers.ContentType = new("application/json");
        }

        public Task HalfSent => halfSent.Task;

        public void Release() => released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(json.AsMemory(0, json.Length / 2));
            await stream.FlushAsync();
            halfSent.SetResult();
            await released.Task;
            await stream.WriteAsync(json.AsMemory(json.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
