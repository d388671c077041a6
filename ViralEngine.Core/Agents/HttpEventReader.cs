using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ViralEngine.Core.Agents;

/// <summary>
/// Reads an http agent's event stream: <c>message</c> events are text (their data, or what the text path finds in it);
/// <c>progress</c> carries <c>{fraction, message}</c>, <c>usage</c> <c>{input_tokens, output_tokens, model}</c>, <c>error</c>
/// <c>{message, retryable}</c>; <c>done</c>, or the data <c>[DONE]</c>, ends it. Other events are passed over.
/// </summary>
internal sealed class HttpEventReader(string? textPath, string label)
{
    public async IAsyncEnumerable<AgentChunk> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken ct)
    {
        AgentChunk.Usage? usage = null;
        await foreach (var item in SseParser.Create(body).EnumerateAsync(ct))
        {
            if (item.EventType == "done" || item.Data == "[DONE]")
                break;

            switch (item.EventType)
            {
                case "message" when ReadText(item.Data) is { Length: > 0 } text:
                    yield return new AgentChunk.Text(text);
                    break;
                case "progress":
                    var progress = JsonSerializer.Deserialize(item.Data, AgentJson.Default.ProgressEvent);
                    yield return new AgentChunk.Progress(Math.Clamp(progress?.Fraction ?? 0, 0, 1), progress?.Message);
                    break;
                case "usage":
                    var used = JsonSerializer.Deserialize(item.Data, AgentJson.Default.UsageEvent);
                    usage = new AgentChunk.Usage(
                        Math.Max(used?.InputTokens ?? 0, 0), Math.Max(used?.OutputTokens ?? 0, 0), used?.Model);
                    break;
                case "error":
                    var error = JsonSerializer.Deserialize(item.Data, AgentJson.Default.ErrorEvent);
                    throw new AgentException(
                        error?.Retryable == false ? ErrorClass.InvalidRequest : ErrorClass.Unavailable,
                        $"{label} reported an error: {ProviderFault.Excerpt(error?.Message ?? "without saying which")}");
            }
        }

        if (usage is not null)
            yield return usage;
    }

    internal static string TextAt(JsonElement document, string pointer, string label) =>
        JsonPointer.Find(document, pointer) switch
        {
            null => throw new AgentException(ErrorClass.Malformed, $"{label} sent an answer that has nothing at {pointer}."),
            { ValueKind: JsonValueKind.String } text => text.GetString()!,
            { ValueKind: JsonValueKind.Null } => "",
            { } other => other.GetRawText(),
        };

    private string ReadText(string data)
    {
        if (textPath is null)
            return data;
        using var document = JsonDocument.Parse(data);
        return TextAt(document.RootElement, textPath, label);
    }
}

internal sealed record ProgressEvent(double Fraction, string? Message);

internal sealed record UsageEvent(long InputTokens, long OutputTokens, string? Model);

internal sealed record ErrorEvent(string? Message, bool? Retryable);
