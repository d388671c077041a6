using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents.OpenAi;

/// <summary>
/// Calls a model by the OpenAI chat-completions protocol, streaming. <see cref="ChatReader"/> reads the response
/// instead of OpenAI's own client, which rejects the deviations of most other servers.
/// </summary>
public sealed class OpenAiProvider(
    OutgoingHttp outgoing, AnswerMemory memory, IOptions<AgentsOptions> options, TimeProvider time) : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        var settings = (OpenAiSettings)call.Agent.Settings;
        using var response = await AskAsync(settings, call, ct);
        await using var body = new HeardStream(await response.Content.ReadAsStreamAsync(ct), call.Heard);
        // A response without a length is a stream, whatever its content type.
        var chunks = response.Content.Headers.ContentLength >= AnswerMemory.Long
            ? ReadWholeAsync(body, settings, call, ct)
            : new ChatReader(settings, call).ReadAsync(body, ct);
        await foreach (var chunk in chunks)
            yield return chunk;
    }

    /// <summary>Reads a long completion that is not a stream.</summary>
    private async IAsyncEnumerable<AgentChunk> ReadWholeAsync(
        Stream body, OpenAiSettings settings, AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var collected = await TemporaryFile.CollectAsync(body, AnswerMemory.Long, ct);
        using var whole = await memory.HoldWholeAsync(collected.Length, ct);
        await foreach (var chunk in new ChatReader(settings, call).ReadAsync(collected, ct))
            yield return chunk;
    }

    private async Task<HttpResponseMessage> AskAsync(OpenAiSettings settings, AgentCall call, CancellationToken ct)
    {
        var countsUsage = settings.Preset.SendsStreamOptions;
        while (true)
        {
            using var request = CreateRequest(settings, call, countsUsage);
            var response = await outgoing.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (response.IsSuccessStatusCode)
                return response;

            using (response)
            {
                var error = await ProviderFault.ReadErrorAsync(response, ct);
                // Some providers reject the unknown option and report usage anyway: retry without it.
                if (!countsUsage || (int)response.StatusCode is not (400 or 422) || !error.Mentions("stream_options"))
                    throw ProviderFault.FromAnswer(response, error, call, time.GetUtcNow());
            }

            countsUsage = false;
        }
    }

    private HttpRequestMessage CreateRequest(OpenAiSettings settings, AgentCall call, bool countsUsage)
    {
        var query = settings.ApiVersion is { } version ? $"?api-version={version}" : "";
        var url = $"{settings.BaseUrl.TrimEnd('/')}/chat/completions{query}";
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = JsonBody.Of(BodyOf(settings, call, countsUsage), AgentJson.Default.ChatRequest),
        };
        request.Headers.Accept.ParseAdd("text/event-stream, application/json;q=0.9");
        // Who does not say so takes every coding (RFC 9110, section 12.5.3).
        request.Headers.AcceptEncoding.ParseAdd("identity");
        request.Headers.UserAgent.ParseAdd("viral-engine");
        OutgoingHttp.LimitResponse(request, options.Value.MaxWireBytes);
        OutgoingHttp.Observe(request, call.Observer);
        if (call.Agent.ApiKey is not { } key)
            return request;
        if (settings.Preset.KeyHeader is { } header)
            request.Headers.TryAddWithoutValidation(header, key);
        else
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    private static ChatRequest BodyOf(OpenAiSettings settings, AgentCall call, bool countsUsage)
    {
        var question = call.Input is { } input
            ? $"{call.Description}\n\nInput:\n{input.GetRawText()}"
            : call.Description;
        var asked = new ChatMessage("user", question);
        var old = settings.Preset.SendsOldMaxTokens;
        return new ChatRequest(
            settings.Model,
            settings.SystemPrompt is { Length: > 0 } prompt ? [new ChatMessage("system", prompt), asked] : [asked],
            Stream: true,
            countsUsage ? new ChatStreamOptions(IncludeUsage: true) : null,
            settings.Temperature,
            old ? settings.MaxOutputTokens : null,
            old ? null : settings.MaxOutputTokens);
    }
}

/// <summary>The request of the protocol.</summary>
internal sealed record ChatRequest(
    string Model,
    IReadOnlyList<ChatMessage> Messages,
    bool Stream,
    ChatStreamOptions? StreamOptions,
    decimal? Temperature,
    int? MaxTokens,
    int? MaxCompletionTokens);

internal sealed record ChatMessage(string Role, string Content);

internal sealed record ChatStreamOptions(bool IncludeUsage);
