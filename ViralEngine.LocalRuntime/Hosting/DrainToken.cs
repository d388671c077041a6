using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>
/// The cancellation that functions see when the app stops. It comes some seconds after the stop began, so that ordinary
/// requests end undisturbed, and well before <see cref="HostOptions.ShutdownTimeout"/>, when connections are cut.
/// </summary>
internal sealed class DrainToken : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource source;

    public DrainToken(IHostApplicationLifetime lifetime, IOptions<HostOptions> options, TimeProvider time)
    {
        source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        var half = options.Value.ShutdownTimeout / 2;
        var grace = half < TimeSpan.Zero || half > Longest ? Longest : half;
        lifetime.ApplicationStopping.Register(() => source.CancelAfter(grace));
    }

    public CancellationToken Token => source.Token;

    public void Dispose() => source.Dispose();
}
