using Microsoft.Extensions.Options;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Metrics;

/// <summary>Rolls metrics up into hours and days, and removes those past their retention.</summary>
internal sealed class MetricSweep(MetricRollup rollup, Db db, DatabaseClock clock, IOptions<MetricsOptions> options)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await db.SetAsync(clock, ct);
        await rollup.RollUpAsync(ct);
        await rollup.DeleteOldAsync(options.Value, ct);
    }
}
