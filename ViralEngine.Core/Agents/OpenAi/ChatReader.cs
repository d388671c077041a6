using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ViralEngine.Core.Agents.OpenAi;

/// <summary>
/// Reads the response of a server that speaks the OpenAI chat-completions protocol, more or less: a stream of chunks,
/// or one whole completion instead. Unknown parts are ignored; an error ends the answer with the server's own message.
/// </summary>
internal sealed class ChatReader(OpenAiSettings settings, AgentCall call)
{
    private readonly string label = settings.Label(call);
    private readonly List<AgentChunk> chunks = [];
    private string model = settings.Model;
    private AgentChunk? lastUsage;
    private string? finish;
    private bool refused;
    private bool whole;

    public async IAsyncEnumerable<AgentChunk> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var (name, data) in ChatEvents.ReadAsync(body, ct))
        {
            if (data.AsSpan().Trim() is ChatEvent.Done)
            {
                whole = true;
                break;
            }

            if (string.IsNullOrWhiteSpace(data))
                continue;
            chunks.Clear();
            var failure = Read(name, data);
            foreach (var chunk in chunks)
                yield return chunk;
            if (failure is not null)
                throw failure;
        }

        if (End() is { } reason)
            yield return new AgentChunk.Finish(reason);
    }

    private string? End()
    {
        if (finish == FinishReasons.ContentFilter)
        {
            throw new AgentException(ErrorClass.InvalidRequest, $"The content filter of {label} stopped the answer.")
            {
                Evidence = HostEvidence.Alive,
            };
        }

        // Without an explicit end, a connection closed between two events is indistinguishable from a complete answer.
        if (finish == FinishReasons.Error || (finish is null && !whole))
            throw ProviderFault.BrokenOff(label, null);
        return refused ? FinishReasons.Refusal : finish;
    }

    /// <summary>Adds the event's content to the chunks.</summary>
    /// <returns>The failure that the event reports, if any.</returns>
    private AgentException? Read(string name, string data)
    {
        using var document = Parse(name, data);
        var root = document.RootElement;
        // Gemini has its errors in an array.
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() == 1)
            root = root[0];
        if (root.ValueKind == JsonValueKind.Null)
            return null;

        model = root.TextOf("model") ?? model;
        var choices = ChoicesOf(root);
        // Usage first: it counts whatever else the event contains.
        AddUsage(root, choices);
        if (ErrorOf(name, root, choices) is { } error)
            return ProviderFault.FromWords(error, call);
        foreach (var choice in choices)
            ReadChoice(choice);
        return null;
    }

    private static JsonDocument Parse(string name, string data)
    {
        try
        {
            return JsonDocument.Parse(data);
        }
        catch (JsonException) when (name == "error")
        {
            // Text that is not JSON is answer text.
            return JsonSerializer.SerializeToDocument(data, AgentJson.Default.String);
        }
    }

    /// <summary>The only requested choice. Servers omit it from chunks that only carry usage or comments.</summary>
    private static List<JsonElement> ChoicesOf(JsonElement root) => root.Member("choices") switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } choices => [.. choices.EnumerateArray().Where(IsFirst)],
        _ => throw Unreadable(),
    };

    private static bool IsFirst(JsonElement choice) => choice.ValueKind == JsonValueKind.Object
        ? choice.Member("index") is not { ValueKind: JsonValueKind.Number } index || !index.TryGetInt32(
            out var number) || number == 0
        : choice.ValueKind == JsonValueKind.Null ? false : throw Unreadable();

    // Groq has usage in x_groq, Moonshot in the choice.
    private void AddUsage(JsonElement root, List<JsonElement> choices)
    {
        var used = root.Member("usage") ?? root.Member("x_groq")?.Member("usage")
            ?? (choices is [var choice, ..] ? choice.Member("usage") : null);
        // Some servers repeat the running count in every event, so the last one counts, not the sum.
        if (used is { } usage && ProviderJson.UsageOf(usage, model) is { } counted && counted != lastUsage)
            chunks.Add(lastUsage = counted);
    }

    private static JsonElement? ErrorOf(string name, JsonElement root, List<JsonElement> choices)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return name == "error" ? root : throw Unreadable();
        if (root.Member("error") is { ValueKind: not JsonValueKind.False } error)
            return error;
        // vLLM and Mistral put the error at the top level.
        if (name == "error" || root.TextOf("object") == "error" || root.TextOf("type") == "error")
            return root;
        if (root.Member("x_groq")?.Member("error") is { } groq)
            return groq;
        if (choices is [var choice, ..] && choice.Member("error") is { ValueKind: not JsonValueKind.False } chosen)
            return chosen;
        return root.Member("choices") is null && ProviderError.Read(root).Message.Length > 0 ? root : null;
    }

    private void ReadChoice(JsonElement choice)
    {
        finish = FinishReasons.From(choice.TextOf("finish_reason")) ?? finish;
        // Perplexity sends the whole message so far beside each delta.
        if (choice.Member("delta") is { } delta)
            ReadMessage(delta);
        else if (choice.Member("message") is { } message)
        {
            whole = true;
            ReadMessage(message);
        }
        else if (choice.TextOf("text") is { } text)
            chunks.Add(new AgentChunk.Text(text));
    }

    private void ReadMessage(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object)
            throw Unreadable();
        if (message.Member("content") is { } content)
            ReadContent(content);
        if (message.TextOf("refusal") is { } refusal)
        {
            refused = true;
            chunks.Add(new AgentChunk.Text(refusal));
        }

        if (chunks.Count == 0 && IsAtWork(message))
            chunks.Add(new AgentChunk.Working());
    }

    // Magistral answers in parts, some of which are reasoning.
    private void ReadContent(JsonElement content)
    {
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                if (content.Text() is { Length: > 0 } text)
                    chunks.Add(new AgentChunk.Text(text));
                break;
            case JsonValueKind.Array:
                foreach (var part in content.EnumerateArray())
                {
                    if (part.ValueKind is JsonValueKind.String)
                        ReadContent(part);
                    else if (part.TextOf("text") is { } words && part.TextOf("type") is null or "text" or "output_text")
                        chunks.Add(new AgentChunk.Text(words));
                    else if (part.TextOf("type") is "thinking" or "reasoning")
                        chunks.Add(new AgentChunk.Working());
                }

                break;
            default:
                throw Unreadable();
        }
    }

    private static bool IsAtWork(JsonElement message) =>
        message.TextOf("reasoning_content") is not null || message.TextOf("reasoning") is not null
        || message.TextOf("thinking") is not null || message.Member("function_call") is not null
        || message.Member("tool_calls") is { ValueKind: JsonValueKind.Array } tools && tools.GetArrayLength() > 0;

    private static JsonException Unreadable() => new("Not a chat completion.");
}
