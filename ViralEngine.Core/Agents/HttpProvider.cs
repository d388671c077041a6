using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;

namespace ViralEngine.Core.Agents;

/// <summary>
/// POSTs <c>{task_id, attempt, description, input}</c> to the agent's URL. A JSON response is read as a whole, with its <c>usage</c> and
/// <c>finish_reason</c>; an event stream (<c>text/event-stream</c>) by <see cref="HttpEventReader"/>; any other text as it arrives.
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
            throw ProviderFault.FromAnswer(response, error, call, response.Headers.Date ?? time.GetUtcNow());
        }

        await using var body = new HeardStream(await response.Content.ReadAsStreamAsync(ct), call.Heard);
        var chunks = response.Content.Headers.ContentType?.MediaType switch
        {
            "text/event-stream" => new HttpEventReader(settings.TextPath, call).ReadAsync(body, ct),
            { } type when IsJson(type) => ReadJsonAsync(body, settings, call, ct),
            _ => ReadTextAsync(body, ct),
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
        mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    private async IAsyncEnumerable<AgentChunk> ReadJsonAsync(
        Stream body, HttpSettings settings, AgentCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var collected = await TemporaryFile.CollectAsync(body, AnswerMemory.Long, ct);
        using var whole = await memory.HoldWholeAsync(collected.Length, ct);
        using var reader = new StreamReader(collected, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(ct);
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        // Usage before text: it counts even if there is no text.
        if (root.Member("usage") is { } used
            && ProviderJson.UsageOf(used, used.TextOf("model") ?? root.TextOf("model")) is { } usage)
            yield return usage;
        var found = settings.TextPath is null
            ? text
            : HttpEventReader.TextAt(root, settings.TextPath, settings.Label(call));
        if (found.Length > 0)
            yield return new AgentChunk.Text(found);
        if (FinishReasons.From(root.TextOf("finish_reason")) is { } reason)
            yield return new AgentChunk.Finish(reason);
    }

    private static async IAsyncEnumerable<AgentChunk> ReadTextAsync(Stream body, [EnumeratorCancellation] CancellationToken ct)
    {
        using var reader = new StreamReader(body, Encoding.UTF8);
        var buffer = new char[8192];
        while (await reader.ReadAsync(buffer.AsMemory(), ct) is var read and > 0)
            yield return new AgentChunk.Text(new string(buffer, 0, read));
    }
}

/// <summary>The request to an http agent.</summary>
internal sealed record HttpAgentRequest(Guid TaskId, int Attempt, string Description, JsonElement? Input);
