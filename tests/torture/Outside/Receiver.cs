using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Torture.Outside;

/// <summary>
/// Receives the webhooks of every tenant, each at a path of its own, and answers some badly: with an error, too late,
/// or not at all. A message that it has refused twice it takes.
/// </summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<Received> received = new();
    private readonly ConcurrentDictionary<string, int> tries = new();
    private readonly Random random;
    private LoopbackServer server = null!;

    private Receiver(int seed) => random = new Random(seed);

    public IReadOnlyList<Received> Received => [.. received];

    public static async Task<Receiver> StartAsync(int seed)
    {
        var receiver = new Receiver(seed);
        receiver.server = await LoopbackServer.StartAsync(receiver.TakeAsync);
        return receiver;
    }

    public string UrlFor(string tenant) => server.Url + tenant;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        string body;
        try
        {
            body = await reader.ReadToEndAsync();
        }
        catch (IOException)
        {
            return; // half of one is none
        }

        var id = http.Request.Headers["webhook-id"].ToString();
        var message = new Received(
            http.Request.Path.Value!.Trim('/'), id, http.Request.Headers["webhook-timestamp"].ToString(),
            http.Request.Headers["webhook-signature"].ToString(), body);
        received.Enqueue(message);
        int luck;
        lock (random)
            luck = tries.AddOrUpdate(id, 1, (_, before) => before + 1) > 2 ? 100 : random.Next(100);
        switch (luck)
        {
            case < 4:
                http.Response.StatusCode = StatusCodes.Status500InternalServerError;
                break;
            case < 5:
                http.Abort();
                break;
            case < 6:
                await Task.Delay(TimeSpan.FromSeconds(6)); // later than the sender waits
                break;
            default:
                message.WasTaken = true;
                break;
        }
    }
}

internal sealed record Received(string Tenant, string Id, string Timestamp, string Signature, string Body)
{
    public bool WasTaken { get; set; }

    public JsonElement Json { get; } = JsonElement.Parse(Body);

    public Guid Subject => Json.GetProperty("data").GetProperty("subject_id").GetGuid();

    public int Number => Json.GetProperty("data").GetProperty("number").GetInt32();

    /// <summary>As Standard Webhooks 1.0.0 says, computed anew.</summary>
    public bool IsSignedWith(string secret)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Id}.{Timestamp}.{Body}"));
        return Signature.Split(' ').Contains("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    }
}
