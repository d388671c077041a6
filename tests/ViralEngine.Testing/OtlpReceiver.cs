using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ViralEngine.Testing;

/// <summary>
/// Takes what instances send by OTLP over HTTP, as a collector would, and reads as much of it as tests ask for.
/// </summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedSpan> spans = new();
    private readonly ConcurrentQueue<ReceivedPoint> points = new();
    private readonly ConcurrentQueue<(string Signal, string Text)> texts = new();
    private LoopbackServer server = null!;

    private OtlpReceiver()
    {
    }

    public IReadOnlyList<ReceivedSpan> Spans => [.. spans];

    /// <summary>
    /// Everything that came of a signal (<c>traces</c>, <c>metrics</c> or <c>logs</c>), for a search: its strings stand
    /// in it as they are.
    /// </summary>
    public string TextOf(string signal) =>
        string.Concat(texts.Where(text => text.Signal == signal).Select(text => text.Text));

    /// <summary>The points of a metric, the oldest first.</summary>
    public IReadOnlyList<ReceivedPoint> PointsOf(string metric) => [.. points.Where(point => point.Metric == metric)];

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        receiver.server = await LoopbackServer.StartAsync(receiver.TakeAsync);
        return receiver;
    }

    /// <summary>The settings of an instance that sends everything here, soon.</summary>
    public AppSettings Observe(AppSettings settings) => settings
        .With("OTEL_EXPORTER_OTLP_ENDPOINT", server.Url)
        .With("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .With("OTEL_BSP_SCHEDULE_DELAY", "100")
        .With("OTEL_BLRP_SCHEDULE_DELAY", "100")
        .With("OTEL_METRIC_EXPORT_INTERVAL", "200");

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var request = new WireMessage(body.ToArray());
        var signal = http.Request.Path.Value!.Split('/')[^1];
        texts.Enqueue((signal, Encoding.UTF8.GetString(body.ToArray())));

        // Resources, in them scopes, in them spans or metrics: opentelemetry-proto, collector/*/v1.
        var items = request.All(1).SelectMany(resource => resource.All(2)).SelectMany(scope => scope.All(2));
        foreach (var item in items)
        {
            if (signal == "traces")
                spans.Enqueue(ReceivedSpan.Read(item));
            else if (signal == "metrics")
                ReceivedPoint.Read(item).ForEach(points.Enqueue);
        }
    }
}

/// <param name="ParentId">Empty: it begins the trace.</param>
public sealed record ReceivedSpan(
    string TraceId, string SpanId, string ParentId, string Name, IReadOnlyDictionary<string, string> Attributes)
{
    internal static ReceivedSpan Read(WireMessage span) =>
        new(span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), span.Attributes(9));
}

/// <summary>What a sum or a gauge was at a time, as far as whole numbers go.</summary>
public sealed record ReceivedPoint(string Metric, long Value, IReadOnlyDictionary<string, string> Attributes)
{
    internal static List<ReceivedPoint> Read(WireMessage metric) =>
    [
        .. metric.All(5).Concat(metric.All(7)).SelectMany(data => data.All(1))
            .Select(point => new ReceivedPoint(metric.Text(1), point.Number(6), point.Attributes(7))),
    ];
}
