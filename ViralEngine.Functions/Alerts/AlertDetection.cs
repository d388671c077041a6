using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.Alerts;

/// <summary>
/// Evaluates the minute that has just ended. It has its own timer, so that it and the sweeps cannot delay each other.
/// </summary>
/// <remarks>
/// Idle minutes are skipped and caught up in order later, unless an alert is open: nothing else would resolve it.
/// </remarks>
internal sealed class AlertDetection(
    DetectAnomalies detection, Db db, DatabaseClock clock, DeliveryPump deliveries, Awake awake)
{
    [Function("DetectAnomalies")]
    public async Task RunAsync([TimerTrigger("10 * * * * *")] TimerInfo timer, CancellationToken ct)
    {
        if (!await awake.IsWatchingAsync())
            return;
        await db.SetAsync(clock, ct);
        await detection.RunAsync(ct);
        if (await new OpenWork(db).AnyAlertAsync(ct))
            awake.MarkAlert();
        deliveries.Stir();
    }
}
