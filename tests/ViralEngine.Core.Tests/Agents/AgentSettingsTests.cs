using System.Text.Json;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Agents.Echo;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Tests.Agents;

public sealed class AgentSettingsTests
{
    private static readonly SettingsRules Rules = new(new UrlPolicy(new AddressPolicy(new OutgoingOptions())));

    [Theory]
    [InlineData(AgentKind.Echo, "{}")]
    [InlineData(
        AgentKind.Echo,
        """{"delay_ms_per_chunk":60000,"chunk_size":3,"repeat":2,"progress":true"""
        + ""","fail_with":"rate_limited","fail_first_attempts":2,"fail_after_chunks":1,"retry_after_seconds":5}""")]
    [InlineData(
        AgentKind.Http,
        """{"url":"https://example.com/run","headers":{"X-A":"1"},"secret_headers":{"X-B":"2"}"""
        + ""","text_path":"/a/b","timeout_seconds":5,"idle_timeout_seconds":5}""")]
    [InlineData(AgentKind.OpenAi, """{"model":"gpt-4o"}""")]
    [InlineData(
        AgentKind.OpenAi,
        """{"provider":"groq","model":"llama","system_prompt":"Be brief.","temperature":0"""
        + ""","max_output_tokens":100,"price":{"input_per_million":0.1,"output_per_million":2}}""")]
    [InlineData(
        AgentKind.OpenAi,
        """{"provider":"azure_openai","base_url":"https://mine.openai.azure.com"""
        + """/openai/deployments/d","api_version":"2024-10-21","model":"d"}""")]
    public void Takes_what_is_right(AgentKind kind, string json)
    {
        var (settings, errors) = Read(kind, json);

        Assert.Empty(errors);
        Assert.NotNull(settings);
    }

    [Theory]
    [InlineData(
        AgentKind.Echo, """{"delay_ms_per_chunk":60001}""", "settings.delay_ms_per_chunk",
        "Must be a whole number from 0 to 60000.")]
    [InlineData(
        AgentKind.Echo, """{"delay_ms_per_chunk":1.5}""", "settings.delay_ms_per_chunk",
        "Must be a whole number from 0 to 60000.")]
    [InlineData(
        AgentKind.Echo, """{"chunk_size":"3"}""", "settings.chunk_size", "Must be a whole number from 1 to 10000.")]
    [InlineData(
        AgentKind.Echo, """{"chunk_size":1e400}""", "settings.chunk_size", "Must be a whole number from 1 to 10000.")]
    [InlineData(AgentKind.Echo, """{"progress":1}""", "settings.progress", "Must be true or false.")]
    [InlineData(
        AgentKind.Echo, """{"fail_with":"boom"}""", "settings.fail_with",
        "Must be one of invalid_request, unauthorized, rate_limited, unavailable, timeout, malformed, too_large, "
        + "truncated, refused, budget_exceeded, internal.")]
    [InlineData(AgentKind.Echo, """{"delay":5}""", "settings.delay", "Unknown setting for this kind of agent.")]
    [InlineData(AgentKind.Echo, "[]", "settings", "Must be an object.")]
    [InlineData(AgentKind.Http, "{}", "settings.url", "Is required.")]
    [InlineData(AgentKind.Http, """{"url":7}""", "settings.url", "Must be a string.")]
    [InlineData(AgentKind.Http, """{"url":"\ud800"}""", "settings.url", "Must be valid Unicode.")]
    [InlineData(
        AgentKind.Http, """{"url":"http://10.0.0.1/"}""", "settings.url",
        "Must not point to a private, loopback, link-local or reserved address.")]
    [InlineData(
        AgentKind.Http, """{"url":"https://example.com","text_path":"a"}""", "settings.text_path",
        "Must be a JSON pointer such as /output/text.")]
    [InlineData(
        AgentKind.Http, """{"url":"https://example.com","headers":{"Host":"x"}}""", "settings.headers.Host",
        "Must not be set: the app sets this header.")]
    [InlineData(
        AgentKind.Http, """{"url":"https://example.com","headers":{"X A":"x"}}""", "settings.headers.X A",
        "Must be a valid header name.")]
    [InlineData(
        AgentKind.Http, """{"url":"https://example.com","headers":{"X-A":"a\r\nX-B: b"}}""", "settings.headers.X-A",
        "Must be printable ASCII of at most 4096 characters.")]
    [InlineData(
        AgentKind.Http, """{"url":"https://example.com","headers":{"X-A":"1","x-a":"2"}}""", "settings.headers.x-a",
        "Must be given only once.")]
    [InlineData(
        AgentKind.Http, """{"url":"https://example.com","secret_headers":["X-A"]}""", "settings.secret_headers",
        "Must be an object of strings.")]
    [InlineData(AgentKind.OpenAi, "{}", "settings.model", "Is required.")]
    [InlineData(
        AgentKind.OpenAi, """{"model":"m","provider":"acme"}""", "settings.provider",
        "Must be one of openai, azure_openai, groq, perplexity, ollama, vllm, llama_cpp, lm_studio, deepseek, "
        + "mistral, openrouter, together.")]
    [InlineData(
        AgentKind.OpenAi, """{"model":"m","provider":"vllm"}""", "settings.base_url", "Is required for provider vllm.")]
    [InlineData(
        AgentKind.OpenAi, """{"model":"m","base_url":"https://a:b@example.com"}""", "settings.base_url",
        "Must not contain a user name or password.")]
    [InlineData(
        AgentKind.OpenAi, """{"model":"m","temperature":2.1}""", "settings.temperature",
        "Must be a number from 0 to 2.")]
    [InlineData(
        AgentKind.OpenAi, """{"model":"m","price":{"input_per_million":-1}}""", "settings.price.input_per_million",
        "Must be a number from 0 to 1000000.")]
    [InlineData(
        AgentKind.OpenAi, """{"model":"m","price":{"input_per_million":1}}""", "settings.price.output_per_million",
        "Is required.")]
    public void Says_what_is_wrong_with_which_field(AgentKind kind, string json, string field, string message)
    {
        var (settings, errors) = Read(kind, json);

        Assert.Null(settings);
        Assert.Equal([message], errors[field]);
    }

    [Fact]
    public void Ollama_needs_the_local_network_to_be_allowed()
    {
        var (_, errors) = Read(AgentKind.OpenAi, """{"provider":"ollama","model":"llama3.2"}""");

        Assert.Contains("settings.base_url", errors.Keys);
    }

    [Theory]
    [InlineData("gpt-4o", 1_000_000, 1_000_000, "12.5")]
    [InlineData("GPT-4o-2024-08-06", 12, 3, "0.00006")]
    [InlineData("mine", 1_000_000, 0, "7")]
    [InlineData("unheard-of", 12, 3, null)]
    [InlineData(null, 12, 3, null)]
    public void Knows_what_a_call_costs_or_that_it_does_not(string? model, long input, long output, string? cost)
    {
        var options = new AgentsOptions { Prices = { ["mine"] = new() { InputPerMillion = 7, OutputPerMillion = 9 } } };
        var prices = new PriceTable(Options.Create(options));

        var actual = prices.CostOf(EchoSettings.Plain, new AgentChunk.Usage(input, output, model));

        Assert.Equal(
            cost is null ? (decimal?)null : decimal.Parse(cost, System.Globalization.CultureInfo.InvariantCulture),
            actual);
    }

    [Fact]
    public void An_agent_s_own_price_comes_first()
    {
        var prices = new PriceTable(Options.Create(new AgentsOptions()));
        var (settings, _) = Read(
            AgentKind.OpenAi, """{"model":"gpt-4o","price":{"input_per_million":1,"output_per_million":2}}""");

        Assert.Equal(3m, prices.CostOf(settings!, new AgentChunk.Usage(1_000_000, 1_000_000, "gpt-4o")));
    }

    private static (AgentSettings? Settings, Dictionary<string, string[]> Errors) Read(AgentKind kind, string json)
    {
        var errors = new FieldErrors();
        return (AgentSettings.Read(kind, JsonElement.Parse(json), Rules, errors), errors.ToDictionary());
    }
}
