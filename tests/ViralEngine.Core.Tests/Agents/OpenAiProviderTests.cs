using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.OpenAi;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Agents;

public sealed class OpenAiProviderTests : IDisposable
{
    private const string End =
        """
        data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

        data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}

        data: [DONE]


        """;

    private readonly AgentBench bench = new();
    private JsonElement sent;
    private string path = "";
    private string authorization = "";
    private string apiKeyHeader = "";

    [Fact]
    public async Task Streams_the_answer_and_ends_with_its_usage()
    {
        await using var server = await AnsweringAsync("Hel", "lo");

        var chunks = await bench.Run(AgentBench.OpenAi(server.Url), "say hello", """{"to":"Ann"}""").ToListAsync();

        Assert.Equal(
            [
                new AgentChunk.Text("Hel"), new AgentChunk.Text("lo"), new AgentChunk.Usage(12, 3, "gpt-4o-2024-08-06"),
                new AgentChunk.Finish("stop"),
            ],
            chunks);
        Assert.Equal("/v1/chat/completions", path);
        Assert.Equal("Bearer sk-secret", authorization);
        Assert.Equal("gpt-4o", sent.GetProperty("model").GetString());
        Assert.True(sent.GetProperty("stream").GetBoolean());
        Assert.True(sent.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        var message = Assert.Single(sent.GetProperty("messages").EnumerateArray());
        Assert.Equal("user", message.GetProperty("role").GetString());
        Assert.Contains(
            "say hello\\n\\nInput:\\n{\\u0022to\\u0022:\\u0022Ann\\u0022}", JsonSerializer.Serialize(message));
    }

    [Fact]
    public async Task Streams_an_answer_whatever_it_is_called()
    {
        var goOn = new TaskCompletionSource();
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"first\"}}]}\n\n");
            await http.Response.Body.FlushAsync();
            await goOn.Task;
            await http.Response.WriteAsync(End);
        });
        await using var chunks = bench.Run(AgentBench.OpenAi(server.Url)).GetAsyncEnumerator();

        Assert.True(await chunks.MoveNextAsync());
        Assert.Equal(new AgentChunk.Text("first"), chunks.Current);
        goOn.SetResult();
        AgentChunk? last = null;
        while (await chunks.MoveNextAsync())
            last = chunks.Current;

        Assert.Equal(new AgentChunk.Finish("stop"), last);
    }

    [Fact]
    public async Task Sends_the_model_s_settings()
    {
        await using var server = await AnsweringAsync("ok");
        var agent = AgentBench.OpenAi(server.Url);
        var settings =
            (OpenAiSettings)agent.Settings with { SystemPrompt = "Be brief.", Temperature = 0.5m, MaxOutputTokens = 7 };

        await bench.Run(agent with { Settings = settings }).ToListAsync();

        Assert.Equal("system", sent.GetProperty("messages")[0].GetProperty("role").GetString());
        Assert.Equal(0.5, sent.GetProperty("temperature").GetDouble());
        Assert.Equal(7, sent.GetProperty("max_completion_tokens").GetInt32());
        Assert.False(sent.TryGetProperty("max_tokens", out _));
    }

    [Theory]
    [InlineData("perplexity")]
    [InlineData("ollama")]
    [InlineData("vllm")]
    public async Task Speaks_the_older_dialect_where_that_is_what_is_known(string provider)
    {
        await using var server = await AnsweringAsync("ok");
        var agent = AgentBench.OpenAi(server.Url, provider);

        await bench.Run(agent with { Settings = (OpenAiSettings)agent.Settings with { MaxOutputTokens = 7 } })
            .ToListAsync();

        Assert.Equal(7, sent.GetProperty("max_tokens").GetInt32());
        Assert.False(sent.TryGetProperty("max_completion_tokens", out _));
    }

    [Fact]
    public async Task Azure_gets_its_key_header_and_version()
    {
        await using var server = await AnsweringAsync("ok");
        var agent = AgentBench.OpenAi(server.Url, "azure_openai");
        var settings = (OpenAiSettings)agent.Settings with
        {
            BaseUrl = server.Url + "openai/deployments/gpt-4o",
            ApiVersion = "2024-10-21",
        };

        await bench.Run(agent with { Settings = settings }).ToListAsync();

        Assert.Equal("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", path);
        Assert.Equal("sk-secret", apiKeyHeader);
        Assert.Equal("", authorization);
    }

    [Theory]
    [InlineData("7", null, 7000)]
    [InlineData("7", "1500", 1500)]
    [InlineData(null, "250.5", 250.5)]
    [InlineData("7", "soon", 7000)]
    [InlineData(null, "99999999999999999999", 86_400_000)]
    public async Task Waits_as_long_as_the_provider_asks_in_seconds_or_milliseconds(
        string? seconds, string? milliseconds, double expected)
    {
        await using var server = await LoopbackServer.StartAsync(async http =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.RetryAfter = seconds;
            http.Response.Headers["retry-after-ms"] = milliseconds;
            await http.Response.WriteAsync(
                """[{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}]""");
        });

        var failure = await bench.FailAsync(AgentBench.OpenAi(server.Url));

        Assert.Equal(TimeSpan.FromMilliseconds(expected), failure.RetryAfter);
        Assert.EndsWith(": Slow down.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sends_no_credentials_where_there_is_no_key()
    {
        await using var server = await AnsweringAsync("ok");

        await bench.Run(AgentBench.OpenAi(server.Url, "ollama", key: null)).ToListAsync();

        Assert.Equal("", authorization);
    }

    [Fact]
    public async Task A_provider_is_called_once_however_it_fails()
    {
        var calls = 0;
        await using var server = await LoopbackServer.StartAsync(http =>
        {
            Interlocked.Increment(ref calls);
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        });

        await bench.FailAsync(AgentBench.OpenAi(server.Url));

        Assert.Equal(1, calls);
    }

    public void Dispose() => bench.Dispose();

    internal static string Chunk(string text) =>
        "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-2024-08-06\","
        + $"\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":\"{text}\"}}}}]}}\n\n";

    private Task<LoopbackServer> AnsweringAsync(params string[] pieces) => LoopbackServer.StartAsync(async http =>
    {
        sent = (await JsonDocument.ParseAsync(http.Request.Body)).RootElement;
        path = http.Request.Path + http.Request.QueryString.ToString();
        authorization = http.Request.Headers.Authorization.ToString();
        apiKeyHeader = http.Request.Headers["api-key"].ToString();
        await HttpProviderTests.Sse(string.Concat(pieces.Select(Chunk)) + End)(http);
    });
}
