using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace ViralEngine.Functions.Sweeps;

/// <summary>
/// Removes finished orchestrations with their histories; their results are in the product's own rows. Failed ones are
/// kept for a while for inspection.
/// </summary>
internal sealed partial class OrchestrationSweep(TimeProvider time, ILogger<OrchestrationSweep> logger)
{
    private static readonly TimeSpan Kept = TimeSpan.FromHours(1);
    private static readonly TimeSpan FailedAreKept = TimeSpan.FromDays(7);

    public async Task RunAsync(DurableTaskClient durable, CancellationToken ct)
    {
        var purged = await PurgeAsync(durable, Kept, [OrchestrationRuntimeStatus.Completed], ct)
            + await PurgeAsync(
                durable, FailedAreKept, [OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated], ct);
        if (purged > 0)
            LogPurged(logger, purged);
    }

    private async Task<int> PurgeAsync(
        DurableTaskClient durable, TimeSpan kept, OrchestrationRuntimeStatus[] statuses, CancellationToken ct)
    {
        var filter = new PurgeInstancesFilter(CreatedTo: time.GetUtcNow() - kept, Statuses: statuses);
        return (await durable.PurgeAllInstancesAsync(filter, ct)).PurgedInstanceCount;
    }

    [LoggerMessage(1, LogLevel.Information, "Removed {Count} finished orchestrations")]
    private static partial void LogPurged(ILogger logger, int count);
}
