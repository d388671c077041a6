using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Tasks;

namespace ViralEngine.Functions.Tasks;

/// <summary>
/// Starts what a crash left unstarted, and scheduled tasks whose time is near. A task that is being looked after is not disturbed.
/// </summary>
internal sealed partial class TaskSweep(TaskSweeper sweeper, TaskStarts starts, ILogger<TaskSweep> logger)
{
    private const int Most = 500;
    private const int AtOnce = 50;

    public async Task RunAsync(DurableTaskClient durable, CancellationToken ct)
    {
        await sweeper.MeasureQueueAsync(ct);
        var tasks = await sweeper.TakeAsync(Most, ct);
        foreach (var some in tasks.Chunk(AtOnce))
            await Task.WhenAll(some.Select(task => starts.StartAsync(durable, task.Tenant, task.Id, task.Run, task.DueAt, ct)));
        if (tasks.Count > 0)
            LogSwept(logger, tasks.Count);
    }

    [LoggerMessage(1, LogLevel.Information, "{Count} tasks were due for a look and were started where nobody worked on them")]
    private static partial void LogSwept(ILogger logger, int count);
}
