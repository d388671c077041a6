using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Batches;

namespace ViralEngine.Functions.Batches;

/// <summary>Starts batches that a crash left unstarted. Batches with a running orchestration are left alone.</summary>
internal sealed partial class BatchSweep(BatchSweeper sweeper, BatchStarts starts, ILogger<BatchSweep> logger)
{
    private const int MaxTaken = 100;

    public async Task RunAsync(DurableTaskClient durable, CancellationToken ct)
    {
        var batches = await sweeper.TakeAsync(MaxTaken, ct);
        await Task.WhenAll(batches.Select(batch => starts.StartAsync(durable, batch.Tenant, batch.Id, batch.Run, ct)));
        if (batches.Count > 0)
            LogSwept(logger, batches.Count);
    }

    [LoggerMessage(1, LogLevel.Information, "Started {Count} abandoned batches")]
    private static partial void LogSwept(ILogger logger, int count);
}
