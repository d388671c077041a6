using System.Diagnostics;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Spans of steps and activities, under the source name that Durable Task uses.</summary>
internal static class DurableTracing
{
    private static readonly ActivitySource Source = new("Microsoft.DurableTask");

    /// <summary>W3C <c>traceparent</c> of what runs now; null outside a trace.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current.Id : null;

    public static Activity? Start(string type, string name, string instanceId, string? traceParent)
    {
        if (!Source.HasListeners()) return null;
        _ = ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent);
        var span = Source.StartActivity($"{type}:{name}", ActivityKind.Server, parent);
        span?.SetTag("durabletask.type", type);
        span?.SetTag("durabletask.task.name", name);
        span?.SetTag("durabletask.task.instance_id", instanceId);
        return span;
    }
}
