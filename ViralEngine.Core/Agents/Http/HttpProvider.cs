using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents.Http;

/// <summary>
/// POSTs <c>{task_id, attempt, description, input}</c> to the agent's URL. A JSON response is read as a whole, with its
/// <c>usage</c> and
/// <c>finish_reason</c>; an event stream (<c>text/event-stream</c>) by <see cref="HttpEventReader"/>; any other text as
/// it arrives.
/// </summary>
public sealed class HttpProvider(
    OutgoingHttp outgoing, AnswerMemory memory, IOptions<AgentsOptions> options, TimeProvider time) : IAgentProvider
{
    public async IAsyncEnumerable<AgentChunk> RunAsync(AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        var settings = (HttpSettings)call.Agent.Settings;
        using var request = CreateRequest(settings, call);
        OutgoingHttp.LimitResponse(request, options.Value.MaxWireBytes);
        OutgoingHttp.Observe(request, call.Observer);
        using var response = await outgoing.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (!response.IsSuccessStatusCode)
        {
            var error = await ProviderFault.ReadErrorAsync(response, ct);
            throw ProviderFault.FromAnswer(response, error, call, time.GetUtcNow());
        }

        await using var body = new HeardStream(await response.Content.ReadAsStreamAsync(ct), call.Heard);
        var type = response.Content.Headers.ContentType;
        var chunks = type?.MediaType?.ToLowerInvariant() switch
        {
            "text/event-stream" => new HttpEventReader(settings.TextPath, call).ReadAsync(body, ct),
            { } media when IsJson(media) => ReadJsonAsync(body, EncodingOf(type), settings, call, isJson: true, ct),
            // Where a text is to be found in it, it is meant to be JSON, whatever it is called.
            _ when settings.TextPath is not null => ReadJsonAsync(
                body, EncodingOf(type), settings, call, isJson: false, ct),
            _ => ReadTextAsync(body, EncodingOf(type), ct),
        };
        await foreach (var chunk in chunks)
            yield return chunk;
    }

    private static HttpRequestMessage CreateRequest(HttpSettings settings, AgentCall call)
    {
        var url = settings.AddressFor(call) ?? throw new AgentException(
            ErrorClass.InvalidRequest,
            "The built-in agent http needs the absolute URL to call in the task's input.url.");
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = JsonBody.Of(
                new HttpAgentRequest(call.TaskId, call.Attempt, call.Description, call.Input),
                AgentJson.Default.HttpAgentRequest),
        };
        request.Headers.Accept.ParseAdd("text/event-stream, application/json, text/plain;q=0.9, */*;q=0.1");
        // Who does not say so takes every coding (RFC 9110, section 12.5.3).
        request.Headers.AcceptEncoding.ParseAdd("identity");
        request.Headers.UserAgent.ParseAdd("viral-engine");
        if (call.Agent.ApiKey is { } key)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in (settings.Headers ?? Empty).Concat(settings.SecretHeaders ?? Empty))
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static readonly Dictionary<string, string> Empty = [];

    private static bool IsJson(string mediaType) =>
        mediaType is "application/json" or "text/json" or "application/x-json" || mediaType.EndsWith(
            "+json", StringComparison.Ordinal);

    /// <summary>
    /// What the answer says that it is in (RFC 9110, section 8.3.2), where that is known; else UTF-8.
    /// </summary>
    private static Encoding EncodingOf(MediaTypeHeaderValue? type)
    {
        // ASCII is a part of UTF-8, and who says ASCII often means that.
        if (type?.CharSet?.Trim('"') is not { Length: > 0 } name
            || name.Equals("us-ascii", StringComparison.OrdinalIgnoreCase))
            return Encoding.UTF8;
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return Encoding.UTF8;
        }
    }

    /// <param name="isJson">It says that it is JSON; else what is none is text.</param>
    private async IAsyncEnumerable<AgentChunk> ReadJsonAsync(
        Stream body, Encoding encoding, HttpSettings settings, AgentCall call, bool isJson,
        [EnumeratorCancellation] CancellationToken ct)
    {
        await using var collected = await TemporaryFile.CollectAsync(body, AnswerMemory.Long, ct);
        using var whole = await memory.HoldWholeAsync(collected.Length, ct);
        var content = await Utf8OfAsync(collected, encoding, ct);
        using var document = Parse(content, isJson);
        if (document is null)
        {
            if (content.Length > 0)
                yield return new AgentChunk.Text(Encoding.UTF8.GetString(content));
            yield break;
        }

        var root = document.RootElement;
        // Usage before text: it counts even if there is no text.
        if (root.Member("usage") is { } used
            && ProviderJson.UsageOf(used, used.TextOf("model") ?? root.TextOf("model")) is { } usage)
            yield return usage;
        var found = settings.TextPath is null
            ? Encoding.UTF8.GetString(content)
            : HttpEventReader.TextAt(root, settings.TextPath, settings.Label(call));
        if (found.Length > 0)
            yield return new AgentChunk.Text(found);
        if (FinishReasons.From(root.TextOf("finish_reason")) is { } reason)
            yield return new AgentChunk.Finish(reason);
    }

    /// <summary>Without a copy, if it is UTF-8 already: a long answer would be in memory four times.</summary>
    private static async Task<byte[]> Utf8OfAsync(Stream collected, Encoding encoding, CancellationToken ct)
    {
        var content = GC.AllocateUninitializedArray<byte>((int)collected.Length);
        await collected.ReadExactlyAsync(content, ct);
        if (encoding is UTF8Encoding && Utf8.IsValid(content) && !content.AsSpan().StartsWith(Encoding.UTF8.Preamble))
            return content;
        using var reader = new StreamReader(new MemoryStream(content), encoding);
        return Encoding.UTF8.GetBytes(await reader.ReadToEndAsync(ct));
    }

    private static JsonDocument? Parse(byte[] content, bool isJson)
    {
        try
        {
            return JsonDocument.Parse(content);
        }
        catch (JsonException) when (!isJson)
        {
            return null;
        }
    }

    private static async IAsyncEnumerable<AgentChunk> ReadTextAsync(
        Stream body, Encoding encoding, [EnumeratorCancellation] CancellationToken ct)
    {
        using var reader = new StreamReader(body, encoding);
        var buffer = new char[8192];
        while (await reader.ReadAsync(buffer.AsMemory(), ct) is var read and > 0)
            yield return new AgentChunk.Text(new string(buffer, 0, read));
    }
}

/// <summary>The request to an http agent.</summary>
internal sealed record HttpAgentRequest(Guid TaskId, int Attempt, string Description, JsonElement? Input);
