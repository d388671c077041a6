using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Outside;

/// <summary>
/// A provider of models: gives back what it is told word by word, tells what it used, and notes every call. Some calls
/// it refuses, answers late or breaks off, as a number from the seed and the call's own id says. An answer costs <see
/// cref="Price"/>.
/// </summary>
internal sealed class Provider : IAsyncDisposable
{
    /// <summary>US dollars, what each call costs that has told what it used.</summary>
    public const decimal Price = 0.001m;

    public const int InputTokens = 100;

    /// <summary>What descriptions begin with that no provider would answer.</summary>
    public const string Refused = "refuse";

    private readonly int seed;
    private readonly Timeline timeline;
    private readonly ConcurrentQueue<ProviderCall> calls = new();
    private readonly ConcurrentDictionary<Guid, int> seen = new();
    private readonly Callers callers = new();
    private LoopbackServer server = null!;

    private Provider(int seed, Timeline timeline) => (this.seed, this.timeline) = (seed, timeline);

    public IReadOnlyList<ProviderCall> Calls => [.. calls];

    public static async Task<Provider> StartAsync(int seed, Timeline timeline)
    {
        var provider = new Provider(seed, timeline);
        provider.server = await LoopbackServer.StartAsync(provider.AnswerAsync);
        return provider;
    }

    public void Watch(IReadOnlyList<Instance> instances) => callers.Instances = instances;

    /// <summary>Where a tenant's agent calls.</summary>
    public string UrlFor(string tenant) => server.Url + tenant;

    /// <summary>How an agent of it is set up: what it costs is told by its own price.</summary>
    public object SettingsFor(string tenant) => new
    {
        url = UrlFor(tenant),
        price = new { input_per_million = Price * 1_000_000 / InputTokens, output_per_million = 0 },
    };

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        using var asked = await JsonDocument.ParseAsync(http.Request.Body);
        var task = asked.RootElement.GetProperty("task_id").GetGuid();
        var description = asked.RootElement.GetProperty("description").GetString()!;
        var call = new ProviderCall(
            http.Request.Path.Value!.Trim('/'), task, asked.RootElement.GetProperty("attempt").GetInt32(), description,
            callers.Of(http), timeline.Now);
        calls.Enqueue(call);
        try
        {
            await AnswerAsync(http, call, seen.AddOrUpdate(task, 1, (_, before) => before + 1));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Who asked has gone.
        }
        finally
        {
            call.Ended = timeline.Now;
        }
    }

    private async Task AnswerAsync(HttpContext http, ProviderCall call, int number)
    {
        if (call.Description.StartsWith(Refused, StringComparison.Ordinal))
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        // A third call of the same work always goes well.
        var luck = number > 2 ? 100 : Luck(call.Task, number);
        switch (luck)
        {
            case < 4:
                http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            case < 6:
                http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                http.Response.Headers.RetryAfter = "1";
                return;
        }

        http.Response.ContentType = "text/event-stream";
        var words = call.Description.Split(' ');
        for (var i = 0; i < words.Length; i++)
        {
            await SendAsync($"data: {words[i]}{(i < words.Length - 1 ? " " : "")}\n\n");
            await Task.Delay(10 + (luck % 30), http.RequestAborted);
            if (luck is 6 or 7 && i > 1)
                http.Abort();
        }

        await SendAsync($"event: usage\ndata: {{\"input_tokens\":{InputTokens},\"output_tokens\":0}}\n\n");
        call.Told = timeline.Now;
        if (luck is 8 or 9)
        {
            // Counted, and broken off before the end: what it counted is owed, but a reset may overtake it.
            call.WasBrokenOff = true;
            await Task.Delay(200, http.RequestAborted);
            http.Abort();
            return;
        }

        await SendAsync("event: done\ndata: {}\n\n");

        async Task SendAsync(string text)
        {
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private int Luck(Guid task, int number)
    {
        var hash = SHA256.HashData([.. BitConverter.GetBytes(seed), .. task.ToByteArray(), (byte)number]);
        return BitConverter.ToUInt16(hash) % 100;
    }
}

/// <summary>A call that a provider got.</summary>
/// <param name="Task">The task or batch item it was for.</param>
/// <param name="Instance">Who made it; 0: unknown.</param>
internal sealed record ProviderCall(
    string Tenant, Guid Task, int Attempt, string Description, int Instance, double Began)
{
    /// <summary>When it had told what it used; null: it never has.</summary>
    public double? Told { get; set; }

    public double Ended { get; set; } = double.PositiveInfinity;

    /// <summary>The connection was reset after it had told: the caller may not have heard.</summary>
    public bool WasBrokenOff { get; set; }

    public override string ToString() =>
        $"{Task} attempt {Attempt} by instance {Instance} at {Began:0.00} s, told at {Told:0.00} s, "
        + $"over at {Ended:0.00} s"
        + (WasBrokenOff ? ", broken off" : "");
}
