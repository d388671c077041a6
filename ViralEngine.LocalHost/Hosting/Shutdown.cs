using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ViralEngine.LocalHost.Durable;
using ViralEngine.LocalHost.Timers;
using ViralEngine.LocalHost.Worker;

namespace ViralEngine.LocalHost.Hosting;

/// <summary>
/// Ends the host's part when the app stops: no timer fires and no orchestration is claimed, activities are asked to
/// end, requests get a few seconds to finish before they are asked too, and all leases are released.
/// </summary>
internal sealed class Shutdown : IHostedService, IDisposable
{
    private static readonly TimeSpan MaxGrace = TimeSpan.FromSeconds(5);

    private readonly WorkerChannel channel = HostProcess.Services.GetRequiredService<WorkerChannel>();
    private readonly TimeSpan grace;
    private readonly CancellationTokenRegistration registration;
    private Task stopped = Task.CompletedTask;

    public Shutdown(IHostApplicationLifetime lifetime, IOptions<HostOptions> options)
    {
        var half = options.Value.ShutdownTimeout / 2;
        grace = half < TimeSpan.Zero || half > MaxGrace ? MaxGrace : half;
        registration = lifetime.ApplicationStopping.Register(
            () => stopped = Task.WhenAll(StopWorkAsync(), CancelLaterAsync()));
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => stopped.WaitAsync(cancellationToken);

    public void Dispose() => registration.Dispose();

    private static Task StopWorkAsync() => Task.WhenAll(
        HostProcess.Services.GetRequiredService<DurableWorker>().StopAsync(CancellationToken.None),
        HostProcess.Services.GetRequiredService<TimerHost>().StopAsync(CancellationToken.None));

    private async Task CancelLaterAsync()
    {
        var end = TimeProvider.System.GetTimestamp();
        while (channel.InFlight > 0 && TimeProvider.System.GetElapsedTime(end) < grace) await Task.Delay(20);
        channel.CancelAll();
    }
}
