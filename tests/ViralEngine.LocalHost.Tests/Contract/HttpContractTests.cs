using System.Globalization;
using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.LocalHost.Tests.Contract;

/// <summary>Requests of the real worker: what reaches functions, and what comes of them.</summary>
public sealed class HttpContractTests(SampleFixture sample) : IClassFixture<SampleFixture>
{
    private readonly SampleApp app = sample.App;

    [Theory]
    [InlineData("api/items/7/a/b?view=full", """{"id":7,"rest":"a/b","view":"full","method":"GET"}""")]
    [InlineData("api/items/7?view=%C3%BC%20%26", """{"id":7,"rest":null,"view":"ü &","method":"GET"}""")]
    [InlineData("api/ITEMS/-7", """{"id":-7,"rest":null,"view":null,"method":"GET"}""")]
    public async Task Binds_values_of_the_route_and_of_the_query(string path, string expected)
    {
        var body = await app.Client.GetStringAsync(path);

        using var wanted = JsonDocument.Parse(expected);
        using var given = JsonDocument.Parse(body);
        Assert.True(JsonElement.DeepEquals(wanted.RootElement, given.RootElement), body);
    }

    [Theory]
    [InlineData("GET", "api/unknown")]
    [InlineData("GET", "hello")]
    [InlineData("GET", "")]
    [InlineData("GET", "api/items/seven")]
    [InlineData("POST", "api/hello")]
    [InlineData("HEAD", "api/hello")]
    [InlineData("OPTIONS", "api/hello")]
    public async Task Answers_404_to_unknown_routes_and_to_wrong_methods_alike(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await app.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("PURGE")]
    public async Task Answers_every_method_when_a_trigger_names_none(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "api/any");
        using var response = await app.Client.SendAsync(request);

        Assert.Equal(method, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Tries_routes_in_the_alphabetical_order_of_the_functions_names()
    {
        // The Functions host does not prefer the route that says more.
        Assert.Equal("Alpha", await app.Client.GetStringAsync("api/order/exact"));
        Assert.Equal("by name", await app.Client.GetStringAsync("api/unrouted"));
    }

    [Theory]
    [InlineData(SampleApp.MasterKey, HttpStatusCode.OK)]
    [InlineData("wrong", HttpStatusCode.Unauthorized)]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    public async Task Opens_functions_above_anonymous_to_the_master_key_only(string? key, HttpStatusCode expected)
    {
        using var response = await SendAsync(HttpMethod.Get, "api/guarded", key);

        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("api/throws", "Throws", "thrown at once")]
    [InlineData("api/throws-later", "ThrowsLater", "thrown later")]
    public async Task Answers_500_without_a_body_when_a_function_fails_and_logs_it_once(
        string path, string name, string message)
    {
        using var response = await app.Client.GetAsync(path);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        await app.LoggedAsync(message);
        await app.Client.GetStringAsync("api/hello");
        Assert.Equal(1, app.Logged($"Function '{name}', invocation"));
    }

    [Fact]
    public async Task Lets_middleware_turn_a_failure_into_an_answer()
    {
        using var response = await app.Client.GetAsync("api/conflict");

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("taken", await response.Content.ReadAsStringAsync());
        Assert.Contains("middleware Conflict", await app.NotesAsync());
        Assert.Equal(0, app.Logged("Function 'Conflict'"));
    }

    [Fact]
    public async Task Continues_the_trace_of_the_caller()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/trace");
        request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");

        using var response = await app.Client.SendAsync(request);

        Assert.StartsWith($"00-{Trace}-", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writes_what_functions_log()
    {
        await app.Client.GetStringAsync("api/hello");

        await app.LoggedAsync("hello was asked");
        Assert.Contains("ViralEngine.LocalHost.Sample.HttpFunctions", app.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancels_the_function_of_a_client_that_leaves_and_logs_no_failure()
    {
        using var leave = new CancellationTokenSource();
        var asked = app.Client.GetAsync("api/forever", leave.Token);
        await app.NotedAsync("forever began");

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await app.NotedAsync("forever cancelled");
        using var afterwards = await app.Client.GetAsync("api/throws");
        await app.LoggedAsync("Function 'Throws'");
        Assert.Equal(0, app.Logged("Function 'Forever'"));
    }

    [Fact]
    public async Task Carries_20_megabytes_in_and_out()
    {
        var sent = new byte[20 * 1024 * 1024];
        new Random(7).NextBytes(sent);

        using var response = await app.Client.PostAsync("api/echo", new ByteArrayContent(sent));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True((await response.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(sent));
    }

    [Fact]
    public async Task Sends_each_piece_of_a_stream_when_it_is_written()
    {
        var opening = app.Client.GetStreamAsync("api/pieces");
        await ReleaseAsync();
        using var reader = new StreamReader(await opening);

        for (var piece = 1; piece <= 3; piece++)
        {
            Assert.Equal($"piece {piece}", await reader.ReadLineAsync());
            if (piece < 3) await ReleaseAsync();
        }

        Assert.Null(await reader.ReadLineAsync());
    }

    /// <summary>One minute, or as many as VIRAL_STREAM_MINUTES says.</summary>
    [Fact]
    public async Task Keeps_a_stream_of_events_open_for_minutes()
    {
        var minutes = int.Parse(
            Environment.GetEnvironmentVariable("VIRAL_STREAM_MINUTES") ?? "1", CultureInfo.InvariantCulture);
        using var client = new HttpClient { BaseAddress = app.Client.BaseAddress, Timeout = Timeout.InfiniteTimeSpan };
        using var reader = new StreamReader(await client.GetStreamAsync($"api/events/{minutes * 60}"));

        var lines = new List<string>();
        while (await reader.ReadLineAsync() is { } line)
            if (line.Length > 0) lines.Add(line);

        Assert.Equal("data: begin", lines[0]);
        Assert.Equal("data: end", lines[^1]);
        Assert.True(lines.Count(line => line == ": heartbeat") >= minutes * 6);
    }

    [Fact]
    public async Task Holds_10_000_invocations_at_a_time()
    {
        const int All = 10_000;
        using var client = new HttpClient { BaseAddress = app.Client.BaseAddress, Timeout = TimeSpan.FromMinutes(5) };
        var answers = new List<Task<string>>();
        while (answers.Count < All)
        {
            for (var more = 0; more < 250; more++) answers.Add(client.GetStringAsync("api/gate"));
            await Eventually.TrueAsync(
                async () => await app.Client.GetStringAsync("api/gate/waiting") == $"{answers.Count}",
                $"{answers.Count} requests in flight");
        }

        Assert.DoesNotContain(answers, answer => answer.IsCompleted);
        using var opened = await app.Client.PostAsync("api/gate", null);

        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal("through", answer));
    }

    private async Task ReleaseAsync()
    {
        using var released = await app.Client.PostAsync("api/pieces", null);
        Assert.Equal(HttpStatusCode.NoContent, released.StatusCode);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? key)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key is not null) request.Headers.Add("x-functions-key", key);
        return await app.Client.SendAsync(request);
    }
}
