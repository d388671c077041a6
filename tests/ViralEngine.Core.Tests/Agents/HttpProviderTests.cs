using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Http;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Agents;

public sealed class HttpProviderTests : IDisposable
{
    private readonly AgentBench bench = new();

    [Fact]
    public async Task Posts_the_task_with_its_headers_and_key()
    {
        var seen = "";
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            using var body = new StreamReader(http.Request.Body);
            seen = $"{http.Request.Method} {http.Request.ContentType} {http.Request.Headers.Authorization} "
                + $"{http.Request.Headers["X-Team"]} {http.Request.Headers["X-Token"]} {await body.ReadToEndAsync()}";
            await http.Response.WriteAsync("ok");
        });
        var settings = new HttpSettings
        {
            Headers = new Dictionary<string, string> { ["X-Team"] = "blue" },
            SecretHeaders = new Dictionary<string, string> { ["X-Token"] = "t-1" },
        };

        await bench.Run(AgentBench.Http(server.Url, settings, "key-1"), "say hello", """{"a":[1]}""").ToListAsync();

        Assert.Matches(
            """^POST application/json; charset=utf-8 Bearer key-1 blue t-1 """
            + """{"task_id":"[0-9a-f-]{36}","attempt":1,"description":"say hello","input":{"a":\[1\]}}$""",
            seen);
    }

    [Fact]
    public async Task Sends_its_body_with_its_length_and_asks_for_an_answer_that_is_not_compressed()
    {
        long? length = null;
        var codings = new List<string>();
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            codings.Add(http.Request.Headers.AcceptEncoding.ToString());
            length = http.Request.ContentLength;
            return http.Response.WriteAsync("ok");
        });

        await bench.Run(AgentBench.Http(server.Url), "grüß").ToListAsync();
        var byHttp = length;
        await bench.FailAsync(AgentBench.OpenAi(server.Url));

        Assert.InRange(byHttp ?? 0, 80, 200);
        Assert.InRange(length ?? 0, 80, 200);
        Assert.Equal(["identity", "identity"], codings);
    }

    [Fact]
    public async Task The_built_in_one_takes_its_address_from_the_task()
    {
        await using var server = await LoopbackServer.StartAsync(http => http.Response.WriteAsync("hello"));
        var builtIn = new AgentDefinition(null, "http", new HttpSettings(), null, []);

        var chunks = await bench.Run(builtIn, input: $$"""{"url":"{{server.Url}}"}""").ToListAsync();
        var failure = await bench.FailAsync(builtIn);

        Assert.Equal("hello", AgentBench.TextOf(chunks));
        Assert.Equal(ErrorClass.InvalidRequest, failure.ErrorClass);
        Assert.Contains("input.url", failure.Message);
    }

    [Fact]
    public async Task Takes_JSON_whose_bytes_are_not_UTF_8_with_replacements()
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "application/json";
            // In Latin-1 it would be a letter.
            await http.Response.Body.WriteAsync((byte[])[.. """{"text":"gr"""u8, 0xFC, .. "\"}"u8]);
        });

        var chunks = await bench.Run(AgentBench.Http(server.Url, new HttpSettings { TextPath = "/text" }))
            .ToListAsync();

        Assert.Equal("gr\uFFFD", AgentBench.TextOf(chunks));
    }

    [Theory]
    [InlineData("text/plain; charset=iso-8859-1", null)]
    [InlineData("text/plain; charset=\"windows-1252\"", null)]
    [InlineData("application/json; charset=ISO-8859-1", "/text")]
    public async Task Reads_an_answer_in_the_encoding_that_it_names(string contentType, string? textPath)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = contentType;
            await http.Response.Body.WriteAsync(
                textPath is null ? [.. "gr"u8, 0xFC, .. "n"u8] : (byte[])[.. """{"text":"gr"""u8, 0xFC, .. "n\"}"u8]);
        });

        var chunks = await bench.Run(AgentBench.Http(server.Url, new HttpSettings { TextPath = textPath }))
            .ToListAsync();

        Assert.Equal("grün", AgentBench.TextOf(chunks));
    }

    [Theory]
    [InlineData("text/plain; charset=us-ascii")]
    [InlineData("text/plain; charset=utf-7")]
    [InlineData("text/plain; charset=of-my-own")]
    public async Task Reads_an_answer_in_an_encoding_that_nobody_knows_as_UTF_8(string contentType)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = contentType;
            await http.Response.Body.WriteAsync("grün"u8.ToArray());
        });

        Assert.Equal("grün", AgentBench.TextOf(await bench.Run(AgentBench.Http(server.Url)).ToListAsync()));
    }

    [Theory]
    [InlineData("text/json", """{"text":"hello"}""", "hello")]
    [InlineData("text/html", """{"text":"hello"}""", "hello")]
    [InlineData(null, """{"text":"hello"}""", "hello")]
    [InlineData("Application/JSON", """{"text":"hello"}""", "hello")]
    [InlineData("TEXT/Event-Stream", "data: {\"text\":\"hello\"}\n\n", "hello")]
    [InlineData("text/plain", "hello", "hello")]
    [InlineData("text/plain", "", "")]
    public async Task Finds_the_text_whatever_the_server_calls_its_answer(string? contentType, string body, string text)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = contentType;
            await http.Response.WriteAsync(body);
        });

        var chunks = await bench.Run(AgentBench.Http(server.Url, new HttpSettings { TextPath = "/text" }))
            .ToListAsync();

        Assert.Equal(text, AgentBench.TextOf(chunks));
    }

    [Theory]
    [InlineData("progress", "half of it")]
    [InlineData("progress", "[1]")]
    [InlineData("progress", "null")]
    [InlineData("progress", """{"fraction":"0.5"}""")]
    [InlineData("progress", """{"fraction":"NaN","message":7}""")]
    [InlineData("progress", """{"fraction":1e999,"message":"\ud83d"}""")]
    [InlineData("usage", "many tokens")]
    [InlineData("usage", "[]")]
    [InlineData("usage", "null")]
    public async Task What_is_said_beside_the_answer_does_not_spoil_it(string name, string data)
    {
        await using var server = await LoopbackServer.StartAsync(
            Sse($"data: whole\n\nevent: {name}\ndata: {data}\n\nevent: done\ndata:\n\n"));

        var chunks = await bench.Run(AgentBench.Http(server.Url)).ToListAsync();

        Assert.Equal("whole", AgentBench.TextOf(chunks));
        Assert.All(chunks.OfType<AgentChunk.Progress>(), progress => Assert.InRange(progress.Fraction, 0, 1));
        Assert.Equal(name == "usage" && data != "null", chunks.Contains(new AgentChunk.ImpossibleUsage()));
    }

    [Fact]
    public async Task Streams_text_as_it_arrives()
    {
        var goOn = new TaskCompletionSource();
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "text/plain";
            await http.Response.WriteAsync("first ");
            await http.Response.Body.FlushAsync();
            await goOn.Task;
            await http.Response.WriteAsync("second");
        });
        await using var chunks = bench.Run(AgentBench.Http(server.Url)).GetAsyncEnumerator();

        Assert.True(await chunks.MoveNextAsync());
        Assert.Equal(new AgentChunk.Text("first "), chunks.Current);
        goOn.SetResult();
        Assert.True(await chunks.MoveNextAsync());
        Assert.Equal(new AgentChunk.Text("second"), chunks.Current);
        Assert.False(await chunks.MoveNextAsync());
    }

    [Fact]
    public async Task Reads_text_progress_and_usage_from_an_event_stream()
    {
        await using var server = await LoopbackServer.StartAsync(Sse(
            "event: progress\ndata: {\"fraction\":0.5,\"message\":\"half\"}\n\n"
            + ": a comment\n\ndata: {\"delta\":{\"text\":\"Hel\"}}\n\ndata: {\"delta\":{\"text\":\"lo\"}}\n\n"
            + "event: usage\ndata: {\"input_tokens\":3,\"output_tokens\":2,\"model\":\"m\"}\n\n"
            + "event: done\ndata:\n\ndata: garbage\n\n"));

        var chunks = await bench.Run(AgentBench.Http(server.Url, new HttpSettings { TextPath = "/delta/text" }))
            .ToListAsync();

        Assert.Equal(
            [
                new AgentChunk.Progress(0.5, "half"), new AgentChunk.Text("Hel"), new AgentChunk.Text("lo"),
                new AgentChunk.Usage(3, 2, "m"),
            ],
            chunks);
    }

    [Fact]
    public async Task Finds_the_text_in_a_json_answer()
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"a/b":[{"text":"hello"},2]}""");
        });

        Assert.Equal("hello", await TextAtAsync("/a~1b/0/text"));
        Assert.Equal("2", await TextAtAsync("/a~1b/1"));
        Assert.Equal("""{"a/b":[{"text":"hello"},2]}""", await TextAtAsync(null));
        var failure = await bench.FailAsync(AgentBench.Http(server.Url, new HttpSettings { TextPath = "/none" }));
        Assert.Equal(ErrorClass.Malformed, failure.ErrorClass);
        Assert.Equal("The answer of 127.0.0.1 has no value at /none.", failure.Message);

        async Task<string> TextAtAsync(string? path) =>
            AgentBench.TextOf(
                await bench.Run(AgentBench.Http(server.Url, new HttpSettings { TextPath = path })).ToListAsync());
    }

    [Fact]
    public async Task Reads_usage_and_the_reason_of_the_end_in_a_json_answer()
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(
                """{"text":"half","model":"m","usage":{"prompt_tokens":3,"completion_tokens":2}"""
                + ""","finish_reason":"max_tokens"}""");
        });

        var chunks = await bench.Run(AgentBench.Http(server.Url, new HttpSettings { TextPath = "/text" }))
            .ToListAsync();

        Assert.Equal(
            [new AgentChunk.Usage(3, 2, "m"), new AgentChunk.Text("half"), new AgentChunk.Finish("length")], chunks);
    }

    [Fact]
    public async Task A_done_event_may_say_why_the_answer_ended()
    {
        await using var server = await LoopbackServer.StartAsync(
            Sse("data: half\n\nevent: done\ndata: {\"finish_reason\":\"length\"}\n\n"));

        var chunks = await bench.Run(AgentBench.Http(server.Url)).ToListAsync();

        Assert.Equal([new AgentChunk.Text("half"), new AgentChunk.Finish("length")], chunks);
    }

    [Fact]
    public async Task A_progress_message_is_made_fit_to_be_stored()
    {
        await using var server = await LoopbackServer.StartAsync(
            Sse("event: progress\ndata: {\"fraction\":0.5,\"message\":\"a\\u0000b\"}\n\nevent: done\ndata:\n\n"));

        var chunks = await bench.Run(AgentBench.Http(server.Url)).ToListAsync();

        Assert.Equal([new AgentChunk.Progress(0.5, "ab")], chunks);
    }

    [Fact]
    public async Task An_error_event_is_a_failure_that_may_be_retried_or_not()
    {
        await using var server = await LoopbackServer.StartAsync(http => Sse(
            "data: begun\n\nevent: error\n"
            + "data: {\"message\":\"no tools left\","
            + $"\"retryable\":{(http.Request.Query.Count == 0 ? "true" : "false")}}}\n\n")(http));

        var passing = await bench.FailAsync(AgentBench.Http(server.Url));
        var final = await bench.FailAsync(AgentBench.Http(server.Url + "?final"));

        Assert.Equal(ErrorClass.Unavailable, passing.ErrorClass);
        Assert.Equal(ErrorClass.InvalidRequest, final.ErrorClass);
        Assert.Equal("127.0.0.1 reported an error: no tools left", final.Message);
    }

    [Fact]
    public async Task Leaves_out_what_cannot_be_stored()
    {
        await using var server = await LoopbackServer.StartAsync(http => http.Response.WriteAsync("a\0b"));

        var chunks = await bench.Run(AgentBench.Http(server.Url)).ToListAsync();

        Assert.Equal("ab", AgentBench.TextOf(chunks));
    }

    [Fact]
    public async Task Cuts_no_character_in_two()
    {
        var text = "x" + string.Concat(Enumerable.Repeat("\U0001F30D", 50_000));
        await using var server = await LoopbackServer.StartAsync(http => http.Response.WriteAsync(text));

        var chunks = await bench.Run(AgentBench.Http(server.Url)).ToListAsync();

        Assert.All(chunks.Cast<AgentChunk.Text>(), chunk => Assert.False(char.IsHighSurrogate(chunk.Value[^1])));
        Assert.Equal(text, AgentBench.TextOf(chunks));
    }

    public void Dispose() => bench.Dispose();

    internal static RequestDelegate Sse(string events) => async http =>
    {
        http.Response.ContentType = "text/event-stream";
        await http.Response.WriteAsync(events);
    };
}
