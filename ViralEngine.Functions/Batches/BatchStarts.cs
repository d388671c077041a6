using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Batches;

/// <summary>
/// Starts and stops the orchestrations of batches. The rows say what is to happen, so whatever is lost here costs time only: a
/// sweep starts what was not, and starting twice is harmless.
/// </summary>
internal sealed partial class BatchStarts(IOptions<LanesOptions> options, ILogger<BatchStarts> logger)
{
    public async Task StartAsync(DurableTaskClient durable, TenantId tenant, Guid batchId, int run, CancellationToken ct)
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
            // It runs already, or the store is away. Which, differs between the runtimes; what to do does not.
            LogNotStarted(logger, e, InstanceId(batchId, run));
        }
    }

    /// <summary>Wakes a batch whose lanes all wait for retries, to end it now.</summary>
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

    /// <summary>Each run has an instance of its own, as the one before may not have ended yet.</summary>
    private static string InstanceId(Guid batchId, int run) => run == 1 ? batchId.ToString() : $"{batchId}-{run}";

    [LoggerMessage(1, LogLevel.Debug, "Batch orchestration {InstanceId} was not started; the sweep will start it")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, string instanceId);

    [LoggerMessage(2, LogLevel.Debug, "Batch orchestration {InstanceId} was not woken; its lanes will poll")]
    private static partial void LogNotWoken(ILogger logger, Exception exception, string instanceId);
}
