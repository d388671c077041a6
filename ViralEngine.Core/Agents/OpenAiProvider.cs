using System.ClientModel;
using System.ClientModel.Primitives;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;
using OpenAI;
using OpenAI.Chat;
using ViralEngine.Core.Outgoing;
using ChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace ViralEngine.Core.Agents;

/// <summary>Asks a model that speaks the OpenAI chat-completions protocol, streaming.</summary>
public sealed class OpenAiProvider(OutgoingHttp outgoing, IOptions<AgentsOptions> options) : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        var settings = (OpenAiSettings)call.Agent.Settings;
        using var client = CreateClient(settings, call.Agent.ApiKey);
        var (input, output, model, finish) = (0L, 0L, settings.Model, (ChatFinishReason?)null);
        var counted = false;

        await foreach (var update in client.GetStreamingResponseAsync(MessagesOf(settings, call), OptionsOf(settings), ct))
        {
            finish = update.FinishReason ?? finish;
            model = update.ModelId is { Length: > 0 } answering ? answering : model;
            foreach (var usage in update.Contents.OfType<UsageContent>())
            {
                // Some repeat the running count in every event, so the last one counts, not the sum.
                (input, output) = (usage.Details.InputTokenCount ?? input, usage.Details.OutputTokenCount ?? output);
                counted = true;
            }

            if (update.Text is { Length: > 0 } text)
                yield return new AgentChunk.Text(text);
        }

        if (finish == ChatFinishReason.ContentFilter)
        {
            throw new AgentException(
                ErrorClass.InvalidRequest, $"{settings.Label(call)} stopped the answer by its content filter.");
        }

        // A connection closed between two events looks like an end, and half an answer like a whole one.
        if (finish is null)
            throw new AgentException(ErrorClass.Unavailable, $"{settings.Label(call)} broke off its answer before the end.");
        if (counted)
            yield return new AgentChunk.Usage(input, output, model);
    }

    private IChatClient CreateClient(OpenAiSettings settings, string? apiKey) => new ChatClient(
        settings.Model,
        new ApiKeyCredential(apiKey ?? "none"),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(settings.BaseUrl),
            Transport = new OpenAiTransport(outgoing.Client, settings, apiKey, options.Value.MaxWireBytes),
            // The task retries, by rules of its own; time is capped around the call.
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
            UserAgentApplicationId = "viral-engine",
        }).AsIChatClient();

    private static List<ChatMessage> MessagesOf(OpenAiSettings settings, AgentCall call)
    {
        var messages = new List<ChatMessage>(2);
        if (settings.SystemPrompt is { Length: > 0 } prompt)
            messages.Add(new ChatMessage(ChatRole.System, prompt));
        var question = call.Input is { } input ? $"{call.Description}\n\nInput:\n{input.GetRawText()}" : call.Description;
        messages.Add(new ChatMessage(ChatRole.User, question));
        return messages;
    }

    private static ChatOptions OptionsOf(OpenAiSettings settings)
    {
        var chat = new ChatOptions { Temperature = (float?)settings.Temperature };
        if (settings is { MaxOutputTokens: { } max, Preset.SendsOldMaxTokens: true })
            chat.RawRepresentationFactory = _ => WithOldMaxTokens(max);
        else
            chat.MaxOutputTokens = settings.MaxOutputTokens;
        return chat;
    }

#pragma warning disable SCME0001 // The client knows only max_completion_tokens; this is its way to send another field.
    private static ChatCompletionOptions WithOldMaxTokens(int max)
    {
        var raw = new ChatCompletionOptions();
        raw.Patch.Set("$.max_tokens"u8, max);
        return raw;
    }
#pragma warning restore SCME0001
}
