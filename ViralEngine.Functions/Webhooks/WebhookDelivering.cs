using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.Webhooks;

/// <summary>
/// Keeps this instance's part of the delivering going from start to stop. It holds nothing that the database does not, so
/// any instance may die at any point.
/// </summary>
internal sealed partial class WebhookDelivering(DeliveryPump pump, ILogger<WebhookDelivering> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await pump.RunAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Nobody else would start it again.
                LogFailed(logger, e);
                await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Delivering webhooks failed; it starts again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}

/// <summary>What webhooks need from time to time.</summary>
internal sealed class WebhookTimers(DeliveryPump pump, WebhookSweeper sweeper, WebhookSecretRotation rotation)
{
    /// <summary>Where idle instances are put to sleep, this keeps one awake to do what is due.</summary>
    [Function("WakeWebhooks")]
    public void Wake([TimerTrigger("*/10 * * * * *")] TimerInfo timer) => pump.Wake();

    [Function("SweepWebhooks")]
    public async Task SweepAsync([TimerTrigger("0 23 * * * *")] TimerInfo timer, CancellationToken ct)
    {
        await sweeper.RunAsync(ct);
        await rotation.RunAsync(ct);
    }
}
