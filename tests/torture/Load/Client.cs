using System.Net;
using System.Net.Sockets;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Load;

/// <summary>
/// Sends requests to any instance, as behind a balancer that knows nothing: where there is no answer, or one that asks
/// to come back, the same request goes with the same key to whichever instance is next.
/// </summary>
internal sealed class Client(World world, Recorder recorder, Timeline timeline) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient http = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>The answer; null when there was none until everything was over.</summary>
    public async Task<Answer?> SendAsync(Request request, CancellationToken over)
    {
        recorder.Asked();
        for (var tries = 1; ; tries++)
        {
            if (await TryAsync(request, over) is { } answer && !AsksToComeBack(answer))
            {
                if (answer.Status is >= 200 and < 300)
                    recorder.Acknowledge(request, answer);
                return answer;
            }

            if (over.IsCancellationRequested)
                return null;
            recorder.AskedAgain();
            await Task.Delay(Random.Shared.Next(100, 600), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Sends what was answered already once more.</summary>
    public async Task RepeatAsync(Request request, Answer first, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            if (await TryAsync(request, over) is { } again && !AsksToComeBack(again))
            {
                recorder.Replayed(request, first, again);
                return;
            }

            await Task.Delay(Random.Shared.Next(100, 600), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What a GET answers; null: nothing that helps.</summary>
    public async Task<Answer?> ReadAsync(Tenant tenant, string path, CancellationToken over)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, path);
        message.Headers.Authorization = new("Bearer", tenant.Key);
        return await ExchangeAsync(message, over) is { Status: 200 } answer ? answer : null;
    }

    /// <summary>Opens a stream at any instance; null: there was none to be had.</summary>
    public async Task<HttpResponseMessage?> OpenStreamAsync(
        Tenant tenant, string path, int after, CancellationToken over)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(Any().App.Address, path));
        message.Headers.Authorization = new("Bearer", tenant.Key);
        if (after > 0)
            message.Headers.TryAddWithoutValidation("Last-Event-ID", $"{after}");
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(over);
        bounded.CancelAfter(Patience);
        try
        {
            return await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, bounded.Token);
        }
        catch (Exception e) when (IsNoAnswer(e))
        {
            return null;
        }
    }

    public static bool IsNoAnswer(Exception e) =>
        e is HttpRequestException or IOException or SocketException or OperationCanceledException or HttpIOException;

    public void Dispose() => http.Dispose();

    private async Task<Answer?> TryAsync(Request request, CancellationToken over) =>
        await ExchangeAsync(request.ToMessage(), over);

    private async Task<Answer?> ExchangeAsync(HttpRequestMessage message, CancellationToken over)
    {
        using var sent = message;
        var instance = Any();
        message.RequestUri = new Uri(instance.App.Address, message.RequestUri!.ToString());
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(over);
        bounded.CancelAfter(Patience);
        try
        {
            using var response = await http.SendAsync(message, bounded.Token);
            var body = await response.Content.ReadAsByteArrayAsync(bounded.Token);
            Check(message, response, body, instance);
            return new Answer(
                (int)response.StatusCode, System.Text.Encoding.UTF8.GetString(body),
                response.Headers.TryGetValues("x-idempotent-replayed", out _), instance.Number);
        }
        catch (Exception e) when (IsNoAnswer(e))
        {
            return null;
        }
    }

    private void Check(HttpRequestMessage message, HttpResponseMessage response, byte[] body, Instance instance)
    {
        var at = $"at {timeline.Now:0.0} s, instance {instance.Number}: "
            + $"{message.Method} {message.RequestUri!.AbsolutePath} answered {(int)response.StatusCode}";
        if (world.Documented.FaultOf(message.Method, message.RequestUri.AbsolutePath, response, body) is { } fault)
            recorder.Wonder($"{at} not as documented: {fault}");
        else if ((int)response.StatusCode == 500
            || response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            recorder.Wonder($"{at}: {System.Text.Encoding.UTF8.GetString(body)}");
    }

    private Instance Any() => world.Instances[Random.Shared.Next(world.Instances.Count)];

    /// <summary>An outage, a limit, a body that came too slowly, or the same request under way elsewhere.</summary>
    private static bool AsksToComeBack(Answer answer) =>
        answer.Status is 408 or 429 or >= 500 || (answer.Status == 409 && answer.Body.Contains(
            "idempotency-key-in-flight", StringComparison.Ordinal));
}
