using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Streams;

/// <summary>
/// Writes server-sent events (WHATWG HTML, section 9.2) as they happen. Proxies close silent connections, so a comment
/// is sent after 15 seconds without an event.
/// </summary>
internal sealed class EventStream(HttpContext http, TimeProvider time)
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);
    private static readonly byte[] Heartbeat = ": heartbeat\n\n"u8.ToArray();

    // How soon a browser reconnects after a lost connection.
    private static readonly byte[] Beginning = "retry: 1000\n\n"u8.ToArray();
    private readonly StringBuilder pending = new();
    private long lastSent;

    public async Task StartAsync(CancellationToken ct)
    {
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var response = http.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        lastSent = time.GetTimestamp();
        await response.StartAsync(ct);
        await SendAsync(Beginning, ct);
    }

    /// <summary>Tells the client to discard its events: the stream restarts from the beginning.</summary>
    public void Reset() => Add(0, "reset", "{}");

    /// <summary>Adds an event to the next flush. Line breaks in the data become lines of their own.</summary>
    public void Add(long id, string type, string data)
    {
        pending.Append(CultureInfo.InvariantCulture, $"id: {id}\nevent: {type}\n");
        foreach (var line in data.AsSpan().EnumerateLines())
            pending.Append("data: ").Append(line).Append('\n');
        pending.Append('\n');
    }

    public async Task FlushAsync(CancellationToken ct)
    {
        if (pending.Length == 0)
            return;
        var bytes = Encoding.UTF8.GetBytes(pending.ToString());
        pending.Clear();
        await SendAsync(bytes, ct);
    }

    /// <summary>The time until a comment must be sent.</summary>
    public TimeSpan HeartbeatDueIn => HeartbeatInterval - time.GetElapsedTime(lastSent);

    /// <summary>Sends a comment if one is due.</summary>
    public Task KeepAliveAsync(CancellationToken ct) =>
        HeartbeatDueIn <= TimeSpan.Zero ? SendAsync(Heartbeat, ct) : Task.CompletedTask;

    /// <summary>The number of the last event the client has, from the header or the query.</summary>
    /// <exception cref="ProblemException">400 if it is not a number.</exception>
    public static int LastEventId(HttpRequest request)
    {
        var text = request.Headers["Last-Event-ID"].ToString();
        if (text.Length == 0)
            text = request.Query["last_event_id"].ToString();
        if (text.Length == 0)
            return 0;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return id;
        // Larger than any of ours: a place that is not there.
        return text.All(char.IsAsciiDigit)
            ? int.MaxValue
            : throw new ProblemException(
                Problem.Validation("Last-Event-ID", "Must be the id of an event of this stream."));
    }

    private async Task SendAsync(byte[] bytes, CancellationToken ct)
    {
        await http.Response.Body.WriteAsync(bytes, ct);
        await http.Response.Body.FlushAsync(ct);
        lastSent = time.GetTimestamp();
    }
}
