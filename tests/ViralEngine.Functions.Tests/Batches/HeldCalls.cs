using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

/// <summary>A provider that answers nobody until it is told to, and knows whose caller died.</summary>
internal sealed class HeldCalls : IAsyncDisposable
{
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopbackServer server = null!;
    private int open;

    public string Url => server.Url;

    public int Open => Volatile.Read(ref open);

    /// <summary>What was asked for, once for each call.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <summary>How often each item was asked for.</summary>
    public IReadOnlyDictionary<string, int> Made => Calls.CountBy(call => call).ToDictionary();

    /// <summary>Items whose caller hung up.</summary>
    public ConcurrentDictionary<string, bool> Dead { get; } = [];

    public static async Task<HeldCalls> StartAsync()
    {
        var calls = new HeldCalls();
        calls.server = await LoopbackServer.StartAsync(calls.AnswerAsync);
        return calls;
    }

    public void Release() => released.SetResult();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        using var asked = await JsonDocument.ParseAsync(http.Request.Body);
        var item = asked.RootElement.GetProperty("description").GetString()!;
        Calls.Enqueue(item);
        Interlocked.Increment(ref open);
        try
        {
            await released.Task.WaitAsync(http.RequestAborted);
            await http.Response.WriteAsync("done");
        }
        catch (OperationCanceledException)
        {
            Interlocked.Decrement(ref open);
            Dead[item] = true;
        }
    }
}
