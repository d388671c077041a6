using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ViralEngine.Core.Agents.Http;

/// <summary>
/// Reads an http agent's event stream: <c>message</c> events are text (their data, or what the text path finds in it);
/// <c>progress</c> carries <c>{fraction, message}</c>, <c>usage</c> <c>{input_tokens, output_tokens, model}</c>,
/// <c>error</c> <c>{message, retryable}</c>;
/// <c>done</c> with or without <c>{finish_reason}</c>, or the data <c>[DONE]</c>, ends it. Other events are ignored.
/// </summary>
internal sealed class HttpEventReader(string? textPath, AgentCall call)
{
    private readonly string label = call.Agent.Settings.Label(call);

    public async IAsyncEnumerable<AgentChunk> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var item in SseParser.Create(body).EnumerateAsync(ct))
        {
            if (item.Data == "[DONE]")
                break;
            if (item.EventType == "done")
            {
                if (ReasonOf(item.Data) is { } reason)
                    yield return new AgentChunk.Finish(reason);
                break;
            }

            if (Read(item) is { } chunk)
                yield return chunk;
        }
    }

    internal static string TextAt(JsonElement document, string pointer, string label) =>
        JsonPointer.Find(document, pointer) switch
        {
            null => throw new AgentException(ErrorClass.Malformed, $"The answer of {label} has no value at {pointer}.")
            {
                Evidence = HostEvidence.Alive,
            },
            { ValueKind: JsonValueKind.String } text => text.Text(),
            { ValueKind: JsonValueKind.Null } => "",
            { } other => other.GetRawText(),
        };

    private AgentChunk? Read(SseItem<string> item)
    {
        switch (item.EventType)
        {
            case "message":
                return ReadText(item.Data) is { Length: > 0 } text ? new AgentChunk.Text(text) : null;
            case "progress":
                return ProgressOf(item.Data);
            case "usage":
                return UsageOf(item.Data);
            case "error":
                throw ErrorOf(item.Data);
            default:
                return null;
        }
    }

    /// <summary>
    /// It only tells how far the work is: what cannot be read of it is no reason to give up the answer.
    /// </summary>
    private static AgentChunk.Progress? ProgressOf(string data)
    {
        using var document = Parse(data);
        var progress = document.RootElement;
        if (progress.ValueKind != JsonValueKind.Object)
            return null;
        var fraction = progress.Member("fraction") switch
        {
            { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
            { ValueKind: JsonValueKind.String } text
                when double.TryParse(
                    text.Text(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => 0,
        };
        return new AgentChunk.Progress(
            double.IsNaN(fraction) ? 0 : Math.Clamp(fraction, 0, 1), progress.TextOf("message"));
    }

    private static AgentChunk? UsageOf(string data)
    {
        using var document = Parse(data);
        var usage = document.RootElement;
        return usage.ValueKind switch
        {
            JsonValueKind.Object => ProviderJson.UsageOf(usage, usage.TextOf("model")),
            JsonValueKind.Null => null,
            _ => new AgentChunk.ImpossibleUsage(),
        };
    }

    private string ReadText(string data)
    {
        if (textPath is null)
            return data;
        using var document = JsonDocument.Parse(data);
        return TextAt(document.RootElement, textPath, label);
    }

    private AgentException ErrorOf(string data)
    {
        using var document = Parse(data);
        var error = document.RootElement;
        var fault = ProviderFault.FromWords(error, call);
        // The agent's own retryable flag takes precedence over its message.
        return error.Member("retryable")?.ValueKind switch
        {
            JsonValueKind.True => new AgentException(ErrorClass.Unavailable, fault.Message)
            {
                Evidence = HostEvidence.Alive,
                IsOverload = fault.IsOverload,
            },
            JsonValueKind.False =>
                new AgentException(ErrorClass.InvalidRequest, fault.Message) { Evidence = HostEvidence.Alive },
            _ => fault,
        };
    }

    private static string? ReasonOf(string data)
    {
        using var document = Parse(data);
        return FinishReasons.From(document.RootElement.TextOf("finish_reason"));
    }

    private static JsonDocument Parse(string data)
    {
        try
        {
            return JsonDocument.Parse(data);
        }
        catch (JsonException)
        {
            // Text that is not JSON is answer text.
            return JsonSerializer.SerializeToDocument(data, AgentJson.Default.String);
        }
    }
}
