using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.Core.Events;
using ViralEngine.Core.Webhooks;

namespace ViralEngine.Functions.Webhooks;

/// <summary>
/// Runs this instance's delivery loop from start to stop. All state is in the database, so an instance may die at any
/// point.
/// </summary>
internal sealed partial class WebhookDelivering(DeliveryPump pump, Signals signals, ILogger<WebhookDelivering> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signals.Published += pump.Stir;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await pump.RunAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Nothing else would restart it.
                LogFailed(logger, e);
                await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The webhook delivery loop of this instance failed; restarting it")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
