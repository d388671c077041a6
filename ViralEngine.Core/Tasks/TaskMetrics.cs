using System.Diagnostics.Metrics;
using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Tasks;

/// <summary>Metrics for operators: ended tasks by status, and how long the oldest due one has waited.</summary>
internal static class TaskMetrics
{
    private static readonly Meter Meter = new(AgentRunner.Source.Name);

    private static readonly Counter<long> Finished =
        Meter.CreateCounter<long>("viral.tasks.finished", "{task}", "Tasks that ended, by status.");

    private static readonly Gauge<double> QueueAge =
        Meter.CreateGauge<double>("viral.queue.age", "s", "How long the oldest due task has waited to start.");

    public static void Ended(AgentTaskStatus status) =>
        Finished.Add(1, new KeyValuePair<string, object?>("status", status.ToText()));

    public static void OldestDue(TimeSpan age) => QueueAge.Record(age.TotalSeconds);
}
