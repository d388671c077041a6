using System.Text;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Agents;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Agents;

/// <summary>
/// What servers that call themselves compatible with OpenAI's really send, each as its users recorded it, and what is
/// made of it.
/// </summary>
public sealed class ChatShapesTests : IDisposable
{
    private readonly AgentBench bench = new();

    public static TheoryData<string, string, string, string?, string?> Answers()
    {
        var data = new TheoryData<string, string, string, string?, string?>();
        foreach (var shape in ChatShapes.Answers)
            data.Add(shape.Server, shape.Body, shape.Text, shape.Finish, shape.Usage);
        return data;
    }

    public static TheoryData<string, string, ErrorClass, string> Errors()
    {
        var data = new TheoryData<string, string, ErrorClass, string>();
        foreach (var shape in ChatShapes.Errors)
            data.Add(shape.Server, shape.Body, shape.Class, shape.Words);
        return data;
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Reads_an_answer_as_the_server_means_it(
        string server, string body, string text, string? finish, string? usage)
    {
        await using var provider = await AnsweringAsync(body);

        var chunks = await bench.Run(AgentBench.OpenAi(provider.Url)).ToListAsync();

        Assert.True(text == AgentBench.TextOf(chunks), $"{server}: {AgentBench.TextOf(chunks)}");
        Assert.Equal(finish, chunks.OfType<AgentChunk.Finish>().SingleOrDefault()?.Reason);
        Assert.Equal(usage, chunks.OfType<AgentChunk.Usage>().LastOrDefault() is { } used
            ? $"{used.InputTokens}+{used.OutputTokens} {used.Model}"
            : null);
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task An_error_inside_the_answer_keeps_its_words_and_its_class(
        string server, string body, ErrorClass errorClass, string words)
    {
        await using var provider = await AnsweringAsync(body);

        var failure = await bench.FailAsync(AgentBench.OpenAi(provider.Url));

        Assert.Equal((server, errorClass), (server, failure.ErrorClass));
        Assert.Equal($"openai (127.0.0.1) reported an error: {words}", failure.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Packets_may_cut_the_stream_anywhere(int bytes)
    {
        var shape = ChatShapes.Answers.Single(shape => shape.Server == "OpenAI");
        await using var provider = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "text/event-stream";
            foreach (var packet in Encoding.UTF8.GetBytes(shape.Body).Chunk(bytes))
            {
                await http.Response.Body.WriteAsync(packet);
                await http.Response.Body.FlushAsync();
            }
        });

        var chunks = await bench.Run(AgentBench.OpenAi(provider.Url)).ToListAsync();

        Assert.Equal(shape.Text, AgentBench.TextOf(chunks));
    }

    [Theory]
    [InlineData("content_filter")]
    [InlineData("SAFETY")]
    public async Task A_filtered_answer_is_a_refused_request_and_what_it_used_is_told(string reason)
    {
        await using var provider = await AnsweringAsync(
            $$$"""
            data: {"choices":[{"index":0,"delta":{"content":"I "},"finish_reason":null}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"{{{reason}}}"}]}

            data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}}

            data: [DONE]


            """);
        var seen = new List<AgentChunk>();

        var failure = await Assert.ThrowsAsync<AgentException>(async () =>
        {
            await foreach (var chunk in bench.Run(AgentBench.OpenAi(provider.Url)))
                seen.Add(chunk);
        });

        Assert.Equal(ErrorClass.InvalidRequest, failure.ErrorClass);
        Assert.Contains(new AgentChunk.Usage(12, 3, "gpt-4o"), seen);
    }

    [Theory]
    [InlineData("-5", "3")]
    [InlineData("12", "-1")]
    [InlineData("12", "1e30")]
    [InlineData("12", "3.5")]
    [InlineData("\"many\"", "3")]
    [InlineData("999999999999999999999999", "3")]
    public async Task A_usage_that_cannot_be_is_refused_and_the_answer_is_kept(string input, string output)
    {
        await using var provider = await AnsweringAsync(
            "data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}],"
            + $"\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output}}}}}\n\ndata: [DONE]\n\n");

        var chunks = await bench.Run(AgentBench.OpenAi(provider.Url)).ToListAsync();

        Assert.Equal("ok", AgentBench.TextOf(chunks));
        Assert.Empty(chunks.OfType<AgentChunk.Usage>());
        Assert.Contains(new AgentChunk.ImpossibleUsage(), chunks);
    }

    [Fact]
    public async Task Who_refuses_stream_options_is_asked_without_them()
    {
        var asked = new List<string>();
        await using var provider = await LoopbackServer.StartAsync(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            asked.Add(await reader.ReadToEndAsync());
            if (asked[^1].Contains("stream_options"))
            {
                http.Response.StatusCode = 400;
                await http.Response.WriteAsync(
                    """{"error":{"message":"property 'stream_options' is unsupported, """
                    + """did you mean 'stream'?","type":"invalid_request_error"}}""");
                return;
            }

            await HttpProviderTests.Sse(ChatShapes.Answers[0].Body)(http);
        });

        var chunks = await bench.Run(AgentBench.OpenAi(provider.Url)).ToListAsync();

        Assert.Equal(ChatShapes.Answers[0].Text, AgentBench.TextOf(chunks));
        Assert.Equal(2, asked.Count);
    }

    public void Dispose() => bench.Dispose();

    private static Task<LoopbackServer> AnsweringAsync(string body) => LoopbackServer.StartAsync(async http =>
    {
        http.Response.ContentType = body.StartsWith('{') ? "application/json" : "text/event-stream";
        await http.Response.WriteAsync(body);
    });
}
