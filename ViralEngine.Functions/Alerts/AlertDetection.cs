using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.Alerts;

/// <summary>
/// Judges the minute that is over. A timer of its own: nothing else may hold it up, nor it anything else.
/// </summary>
/// <remarks>When nothing has happened for long there is nothing to judge; the minutes left out are caught up in order.</remarks>
internal sealed class AlertDetection(DetectAnomalies detection, DeliveryPump deliveries, Awake awake)
{
    [Function("DetectAnomalies")]
    public async Task RunAsync([TimerTrigger("10 * * * * *")] TimerInfo timer, CancellationToken ct)
    {
        if (!await awake.IsSinceAsync(Awake.ForMetrics))
            return;
        await detection.RunAsync(ct);
        deliveries.Stir();
    }
}
