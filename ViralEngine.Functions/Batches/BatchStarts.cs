using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Starts and stops the orchestrations of batches. Rows hold the truth, so a lost start costs only time: a sweep
/// repeats it. Idempotent.
/// </summary>
internal sealed partial class BatchStarts(IOptions<LanesOptions> options, ILogger<BatchStarts> logger)
{
    public async Task StartAsync(
        DurableTaskClient durable, TenantId tenant, Guid batchId, int run, CancellationToken ct)
    {
        try
        {
            await durable.ScheduleNewOrchestrationInstanceAsync(
                nameof(BatchOrchestration),
                new BatchStart(tenant.Value, batchId, Generation: 1, options.Value.TurnSeconds),
                new StartOrchestrationOptions(InstanceId(batchId, run)),
                ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Either it is already running or the store cannot be reached. The exceptions differ between the hosts; the
            // handling does not.
            LogNotStarted(logger, e, InstanceId(batchId, run));
        }
    }

    /// <summary>Wakes a batch whose lanes all wait for retries, so that it ends now.</summary>
    public async Task StopAsync(DurableTaskClient durable, Guid batchId, int run, CancellationToken ct)
    {
        try
        {
            await durable.RaiseEventAsync(InstanceId(batchId, run), BatchOrchestration.Stop, cancellation: ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotWoken(logger, e, InstanceId(batchId, run));
        }
    }

    /// <summary>Each run has its own orchestration instance, because the previous one may not have ended yet.</summary>
    private static string InstanceId(Guid batchId, int run) => run == 1 ? batchId.ToString() : $"{batchId}-{run}";

    [LoggerMessage(1, LogLevel.Debug, "Batch orchestration {InstanceId} was not started; the sweep will start it")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, string instanceId);

    [LoggerMessage(2, LogLevel.Debug, "Batch orchestration {InstanceId} was not woken; its lanes will poll")]
    private static partial void LogNotWoken(ILogger logger, Exception exception, string instanceId);
}
