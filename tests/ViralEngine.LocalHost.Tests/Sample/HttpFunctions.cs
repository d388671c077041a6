using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalHost.Sample;

public sealed class HttpFunctions(ILogger<HttpFunctions> logger)
{
    private static readonly SemaphoreSlim Released = new(0);
    private static readonly TaskCompletionSource GateOpen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private static int waiting;

    [Function("Hello")]
    public IResult Hello([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "hello")] HttpRequest request)
    {
        logger.LogWarning("hello was asked");
        return Results.Text("hello");
    }

    [Function("Item")]
    public static IResult Item(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "put", Route = "items/{id:int}/{*rest}")] HttpRequest request,
        int id,
        string? rest,
        string? view) => Results.Json(new { id, rest, view, request.Method });

    [Function("AnyMethod")]
    public static IResult AnyMethod([HttpTrigger(AuthorizationLevel.Anonymous, Route = "any")] HttpRequest request) =>
        Results.Text(request.Method);

    [Function("Unrouted")]
    public static IResult Unrouted([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        Results.Text("by name");

    [Function("OrderAlpha")]
    public static IResult OrderAlpha(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "order/{*rest}")] HttpRequest request) =>
        Results.Text("Alpha");

    [Function("OrderBeta")]
    public static IResult OrderBeta(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "order/exact")] HttpRequest request) =>
        Results.Text("Beta");

    [Function("Trace")]
    public static IResult Trace(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "trace")] HttpRequest request,
        FunctionContext context) =>
        Results.Text(context.TraceContext.TraceParent);

    [Function("Guarded")]
    public static IResult Guarded(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "guarded")] HttpRequest request) =>
        Results.Text("opened");

    [Function("Throws")]
    public static IResult Throws(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "throws")] HttpRequest request) =>
        throw new InvalidOperationException("thrown at once");

    [Function("ThrowsLater")]
    public static async Task<IResult> ThrowsLaterAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "throws-later")] HttpRequest request)
    {
        await Task.Yield();
        throw new InvalidOperationException("thrown later");
    }

    [Function("Conflict")]
    public static async Task<IResult> ConflictAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "conflict")] HttpRequest request)
    {
        await Task.Yield();
        throw new ConflictException("taken");
    }

    [Function("Echo")]
    public static async Task EchoAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "echo")] HttpRequest request, CancellationToken ct)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, ct);
        var response = request.HttpContext.Response;
        response.ContentType = request.ContentType;
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), ct);
    }

    /// <summary>Ends when its token is cancelled, and not before.</summary>
    [Function("Forever")]
    public static async Task<IResult> ForeverAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "forever")] HttpRequest request, CancellationToken ct)
    {
        Notes.Add("forever began");
        try
        {
            await Task.Delay(Timeout.Infinite, ct);
            return Results.Text("never");
        }
        catch (OperationCanceledException)
        {
            Notes.Add("forever cancelled");
            throw;
        }
    }

    /// <summary>Takes its time, whoever asks it to end.</summary>
    [Function("Slow")]
    public static async Task<IResult> SlowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "slow")] HttpRequest request)
    {
        Notes.Add("slow began");
        await Task.Delay(1500, CancellationToken.None);
        return Results.Text("done");
    }

    /// <summary>Answers when the gate is opened.</summary>
    [Function("Gate")]
    public static async Task<IResult> GateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "gate")] HttpRequest request)
    {
        Interlocked.Increment(ref waiting);
        await GateOpen.Task;
        return Results.Text("through");
    }

    [Function("GateWaiting")]
    public static IResult GateWaiting(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "gate/waiting")] HttpRequest request) =>
        Results.Text($"{Volatile.Read(ref waiting)}");

    [Function("GateOpen")]
    public static IResult Open([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "gate")] HttpRequest request)
    {
        GateOpen.TrySetResult();
        return Results.NoContent();
    }

    /// <summary>Three pieces, each when it is released.</summary>
    [Function("Pieces")]
    public static async Task PiecesAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "pieces")] HttpRequest request, CancellationToken ct)
    {
        for (var piece = 1; piece <= 3; piece++)
        {
            await Released.WaitAsync(ct);
            await request.HttpContext.Response.WriteAsync($"piece {piece}\n", ct);
            await request.HttpContext.Response.Body.FlushAsync(ct);
        }
    }

    [Function("PiecesRelease")]
    public static IResult Release(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "pieces")] HttpRequest request)
    {
        Released.Release();
        return Results.NoContent();
    }

    /// <summary>An SSE stream: an event at once and one at the end, and heartbeats between them.</summary>
    [Function("Events")]
    public static async Task EventsAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "events/{seconds:int}")] HttpRequest request,
        int seconds,
        CancellationToken ct)
    {
        var response = request.HttpContext.Response;
        response.ContentType = "text/event-stream";
        await response.WriteAsync("data: begin\n\n", ct);
        await response.Body.FlushAsync(ct);
        var end = TimeProvider.System.GetUtcNow().AddSeconds(seconds);
        while (TimeProvider.System.GetUtcNow() < end)
        {
            await Task.Delay(TimeSpan.FromSeconds(5), ct);
            await response.WriteAsync(": heartbeat\n\n", ct);
            await response.Body.FlushAsync(ct);
        }

        await response.WriteAsync("data: end\n\n", ct);
    }
}
