using Microsoft.Extensions.Options;
using ViralEngine.Core.Metrics;

namespace ViralEngine.Functions.Metrics;

/// <summary>Rolls metrics up into hours and days, and removes those past their retention.</summary>
internal sealed class MetricSweep(MetricRollup rollup, IOptions<MetricsOptions> options)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await rollup.RollUpAsync(ct);
        await rollup.DeleteOldAsync(options.Value, ct);
    }
}
