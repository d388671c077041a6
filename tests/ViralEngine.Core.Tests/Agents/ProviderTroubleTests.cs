using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Agents;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Agents;

/// <summary>What goes wrong at a provider, and what the user is told, for both kinds that call one.</summary>
public sealed class ProviderTroubleTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly AgentBench bench = new(time: new FakeTimeProvider(Now));
    private readonly AgentBench live = new();

    public static TheoryData<AgentKind> Kinds => new(AgentKind.Http, AgentKind.OpenAi);

    public static TheoryData<AgentKind, int, ErrorClass, bool> Statuses()
    {
        var data = new TheoryData<AgentKind, int, ErrorClass, bool>();
        foreach (var kind in new[] { AgentKind.Http, AgentKind.OpenAi })
        {
            data.Add(kind, 302, ErrorClass.InvalidRequest, false);
            data.Add(kind, 400, ErrorClass.InvalidRequest, false);
            data.Add(kind, 401, ErrorClass.Unauthorized, false);
            data.Add(kind, 403, ErrorClass.Unauthorized, false);
            data.Add(kind, 404, ErrorClass.InvalidRequest, false);
            data.Add(kind, 408, ErrorClass.Timeout, true);
            data.Add(kind, 413, ErrorClass.TooLarge, false);
            data.Add(kind, 422, ErrorClass.InvalidRequest, false);
            data.Add(kind, 429, ErrorClass.RateLimited, true);
            data.Add(kind, 500, ErrorClass.Unavailable, true);
            data.Add(kind, 502, ErrorClass.Unavailable, true);
            data.Add(kind, 503, ErrorClass.Unavailable, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Statuses))]
    public async Task A_status_says_whether_to_try_again(
        AgentKind kind, int status, ErrorClass expected, bool retryable)
    {
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        var failure = await bench.FailAsync(Agent(kind, server.Url));

        Assert.Equal(expected, failure.ErrorClass);
        Assert.Equal(retryable, failure.ErrorClass.IsRetryable());
        Assert.StartsWith($"{Label(kind)} answered {status} ", failure.Message);
        Assert.EndsWith(".", failure.Message);
    }

    [Theory]
    [InlineData(AgentKind.Http)]
    [InlineData(AgentKind.OpenAi)]
    public async Task A_date_to_retry_after_is_of_the_provider_s_clock(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.Date = "Sun, 01 Mar 2026 09:00:00 GMT";
            http.Response.Headers.RetryAfter = "Sun, 01 Mar 2026 09:01:30 GMT";
            return Task.CompletedTask;
        });

        var failure = await bench.FailAsync(Agent(kind, server.Url));

        Assert.Equal(90, failure.RetryAfter?.TotalSeconds);
    }

    [Theory]
    [InlineData(AgentKind.Http, "20", 20)]
    [InlineData(AgentKind.OpenAi, "20", 20)]
    [InlineData(AgentKind.Http, "Sun, 01 Mar 2026 12:01:30 GMT", 90)]
    [InlineData(AgentKind.OpenAi, "Sun, 01 Mar 2026 12:01:30 GMT", 90)]
    [InlineData(AgentKind.Http, "Sun, 01 Mar 2026 11:00:00 GMT", 0)]
    [InlineData(AgentKind.Http, "99999999999", 86_400)]
    [InlineData(AgentKind.Http, "soon", null)]
    public async Task Too_many_requests_waits_as_long_as_the_provider_says(
        AgentKind kind, string retryAfter, int? seconds)
    {
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.Date = "Sun, 01 Mar 2026 12:00:00 GMT";
            http.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        });

        var failure = await bench.FailAsync(Agent(kind, server.Url));

        Assert.Equal(ErrorClass.RateLimited, failure.ErrorClass);
        Assert.Equal(seconds, failure.RetryAfter?.TotalSeconds);
        var wait = seconds is { } s ? string.Create(CultureInfo.InvariantCulture, $"; retry after {s} s") : "";
        Assert.Equal($"{Label(kind)} answered 429 Too Many Requests{wait}.", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_refused_request_says_why_without_the_key(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.StatusCode = 400;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"error":{"message":"The model\n`gpt-9` is not for sk-secret"}}""");
        });

        var failure = await bench.FailAsync(Agent(kind, server.Url));

        Assert.Equal(
            $"{Label(kind)} answered 400 Bad Request: The model `gpt-9` is not for [secret].", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_refused_connection(AgentKind kind)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var failure = await live.FailAsync(Agent(kind, $"http://127.0.0.1:{port}/"));

        Assert.Equal(ErrorClass.Unavailable, failure.ErrorClass);
        Assert.Equal($"{Label(kind)} refused the connection.", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_name_without_an_address(AgentKind kind)
    {
        var failure = await live.FailAsync(Agent(kind, "http://nowhere.invalid/"));

        Assert.Equal(ErrorClass.Unavailable, failure.ErrorClass);
        Assert.Contains("nowhere.invalid", failure.Message);
        Assert.Contains("does not resolve", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_address_that_may_not_be_reached(AgentKind kind)
    {
        var failure = await live.FailAsync(Agent(kind, "http://169.254.169.254/"));

        Assert.Equal(ErrorClass.Refused, failure.ErrorClass);
        Assert.Contains("169.254.169.254", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_hang(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(http => HangAsync(http));

        var failure = await live.FailAsync(Agent(kind, server.Url), timeoutSeconds: 0.3);

        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
        Assert.Equal($"{Label(kind)} did not answer in time.", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silence_after_the_first_piece(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            await BeginAsync(http, kind);
            await HangAsync(http);
        });
        var agent = Agent(kind, server.Url);
        agent = agent with { Settings = agent.Settings with { IdleTimeoutSeconds = 1 } };

        var failure = await live.FailAsync(agent);

        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_first_text_that_does_not_come_in_the_time_the_agent_gives_it(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "text/event-stream";
            while (!http.RequestAborted.IsCancellationRequested)
            {
                await http.Response.WriteAsync(": thinking\n\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await Task.Delay(20, http.RequestAborted);
            }
        });
        var agent = Agent(kind, server.Url);
        agent = agent with { Settings = agent.Settings with { FirstTextTimeoutSeconds = 1 } };

        var failure = await live.FailAsync(agent);

        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
        Assert.Equal($"{Label(kind)} sent no text within 1 s.", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_drip_that_would_never_end(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            await BeginAsync(http, kind);
            while (!http.RequestAborted.IsCancellationRequested)
            {
                await http.Response.WriteAsync(": still here\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                await Task.Delay(20, http.RequestAborted);
            }
        });

        var failure = await live.FailAsync(Agent(kind, server.Url), timeoutSeconds: 0.5);

        Assert.Equal(ErrorClass.Timeout, failure.ErrorClass);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_disconnect_in_mid_stream(AgentKind kind)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            await BeginAsync(http, kind);
            http.Abort();
        });

        var failure = await live.FailAsync(Agent(kind, server.Url));

        Assert.Equal(ErrorClass.Unavailable, failure.ErrorClass);
        Assert.Equal($"{Label(kind)} closed the connection before the answer was complete.", failure.Message);
    }

    [Fact]
    public async Task An_end_that_only_looks_like_one()
    {
        await using var server = await LoopbackServer.StartAsync(http => BeginAsync(http, AgentKind.OpenAi));

        var failure = await live.FailAsync(AgentBench.OpenAi(server.Url, "groq"));

        Assert.Equal(ErrorClass.Unavailable, failure.ErrorClass);
    }

    [Theory]
    [InlineData("data: {\"id\":\"1\",\"choices\":[{\"ind\n\n")]
    [InlineData("data: [1,2]\n\n")]
    [InlineData("data: {\"choices\":\"none\"}\n\n")]
    [InlineData("data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"martian\",\"content\":7}}]}\n\n")]
    [InlineData("data: \u0001\n\n")]
    public async Task A_malformed_chunk(string chunk)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            await BeginAsync(http, AgentKind.OpenAi);
            await http.Response.WriteAsync(chunk);
        });

        var failure = await live.FailAsync(AgentBench.OpenAi(server.Url, "groq"));

        Assert.Equal(ErrorClass.Malformed, failure.ErrorClass);
        Assert.Equal($"{Label(AgentKind.OpenAi)} sent an unreadable answer.", failure.Message);
    }

    [Theory]
    [InlineData(AgentKind.OpenAi, """{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}""", true)]
    [InlineData(AgentKind.OpenAi, """{"error":{"code":503,"message":"Try again later."}}""", true)]
    [InlineData(AgentKind.OpenAi, """{"error":{"type":"server_error","message":"We are over capacity."}}""", true)]
    [InlineData(AgentKind.OpenAi, """{"error":{"code":500,"message":"It broke."}}""", false)]
    [InlineData(AgentKind.OpenAi, """{"error":{"code":429,"message":"Too many requests: overloaded."}}""", false)]
    [InlineData(AgentKind.Http, """{"message":"The model is overloaded."}""", true)]
    [InlineData(AgentKind.Http, """{"message":"The model is overloaded.","retryable":true}""", true)]
    [InlineData(AgentKind.Http, """{"message":"The model is overloaded.","retryable":false}""", false)]
    public async Task An_overload_in_mid_stream(AgentKind kind, string error, bool isOverload)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            await BeginAsync(http, kind);
            await http.Response.WriteAsync($"event: error\ndata: {error}\n\n");
        });

        var failure = await live.FailAsync(Agent(kind, server.Url));

        Assert.Equal(isOverload, failure.IsOverload);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_answer_that_is_not_http(AgentKind kind)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var call = live.FailAsync(Agent(kind, $"http://127.0.0.1:{port}/"));
        using var socket = await listener.AcceptSocketAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH_9.2\r\n\r\n"));

        var failure = await call;

        Assert.Equal(ErrorClass.Malformed, failure.ErrorClass);
        Assert.Equal($"{Label(kind)} sent an answer that is not HTTP.", failure.Message);
    }

    [Theory]
    [InlineData(AgentKind.Http, "text/plain")]
    [InlineData(AgentKind.Http, "application/json")]
    [InlineData(AgentKind.Http, "text/event-stream")]
    [InlineData(AgentKind.OpenAi, "text/event-stream")]
    [InlineData(AgentKind.OpenAi, "text/html")]
    public async Task An_answer_of_50_MB_is_not_read_to_its_end(AgentKind kind, string type)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var call = live.FailAsync(Agent(kind, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));
        using var socket = await listener.AcceptSocketAsync();
        var sent = await SendUntilCutAsync(socket, type);

        var failure = await call;

        Assert.Equal(ErrorClass.TooLarge, failure.ErrorClass);
        Assert.InRange(sent, 10_000_000, 49_000_000);
    }

    public void Dispose()
    {
        bench.Dispose();
        live.Dispose();
    }

    private static AgentDefinition Agent(AgentKind kind, string url) =>
        kind == AgentKind.Http ? AgentBench.Http(url, key: "sk-secret") : AgentBench.OpenAi(url, "groq");

    private static string Label(AgentKind kind) => kind == AgentKind.Http ? "127.0.0.1" : "groq (127.0.0.1)";

    private static async Task BeginAsync(HttpContext http, AgentKind kind)
    {
        http.Response.ContentType = "text/event-stream";
        await http.Response.WriteAsync(kind == AgentKind.Http ? "data: begun\n\n" : OpenAiProviderTests.Chunk("begun"));
        await http.Response.Body.FlushAsync();
    }

    private static async Task HangAsync(HttpContext http)
    {
        var left = new TaskCompletionSource();
        await using var registration = http.RequestAborted.Register(left.SetResult);
        await left.Task;
    }

    // With a socket of its own, because a web server takes writes to a connection that is gone.
    private static async Task<long> SendUntilCutAsync(Socket socket, string type)
    {
        var block = new byte[64 * 1024];
        Array.Fill(block, (byte)'x');
        var sent = 0L;
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\n\r\ndata: "));
            while (sent < 50_000_000)
                sent += await socket.SendAsync(block);
        }
        catch (SocketException)
        {
            // The client has left, as it should.
        }

        return sent;
    }
}
