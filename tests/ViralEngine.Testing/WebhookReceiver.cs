using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Testing;

/// <summary>
/// A real receiver of webhooks on loopback: keeps what it got, and answers as it is told to, well or badly.
/// </summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedWebhook> received = new();
    private LoopbackServer server = null!;

    private WebhookReceiver(Func<HttpContext, ReceivedWebhook, Task> answer) => Answer = answer;

    public string Url => server.Url + "hook";

    /// <summary>How it answers from now on. What it got is noted before.</summary>
    public Func<HttpContext, ReceivedWebhook, Task> Answer { get; set; }

    public IReadOnlyList<ReceivedWebhook> Received => [.. received];

    /// <summary>Answers 200.</summary>
    public static Task<WebhookReceiver> StartAsync() => StartAsync(200);

    public static Task<WebhookReceiver> StartAsync(int status, params (string Name, string Value)[] headers) =>
        StartAsync((http, _) => RespondAsync(http, status, headers));

    public static async Task<WebhookReceiver> StartAsync(Func<HttpContext, ReceivedWebhook, Task> answer)
    {
        var receiver = new WebhookReceiver(answer);
        receiver.server = await LoopbackServer.StartAsync(receiver.TakeAsync);
        return receiver;
    }

    public void AnswerWith(int status, params (string Name, string Value)[] headers) =>
        Answer = (http, _) => RespondAsync(http, status, headers);

    /// <summary>Waits until so many have come, of the type where one is given, and returns all of them.</summary>
    public Task<List<ReceivedWebhook>> WaitForAsync(int count, string? type = null) => Eventually.GetAsync(
        () => Task.FromResult(received.Where(webhook => type is null || webhook.Type == type).ToList()),
        webhooks => webhooks.Count >= count,
        $"{count} webhooks{(type is null ? "" : " of type " + type)}");

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private static Task RespondAsync(HttpContext http, int status, (string Name, string Value)[] headers)
    {
        http.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            http.Response.Headers.Append(name, value);
        return http.Response.WriteAsync($"answer {status}");
    }

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var webhook = new ReceivedWebhook(
            await reader.ReadToEndAsync(),
            http.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            DateTime.UtcNow);
        received.Enqueue(webhook);
        await Answer(http, webhook);
    }
}

/// <summary>A webhook as it arrived.</summary>
public sealed record ReceivedWebhook(string Body, IReadOnlyDictionary<string, string> Headers, DateTime At)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string Type => Json.GetProperty("type").GetString()!;

    public JsonElement Data => Json.GetProperty("data");

    public string Id => Headers["webhook-id"];
}
