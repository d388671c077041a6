using Microsoft.Extensions.Options;
using ViralEngine.Core.Retention;

namespace ViralEngine.Functions.Retention;

/// <summary>Deletes rows past their retention, in short statements; the rest is deleted next time.</summary>
internal sealed class RetentionSweep(
    TaskRetention tasks,
    BatchRetention batches,
    OrganizationRetention organizations,
    IOptions<RetentionOptions> options,
    TimeProvider time)
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(2);

    public async Task RunAsync(CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var now = time.GetUtcNow().UtcDateTime;
        while (await tasks.SweepSomeAsync(now.AddDays(-options.Value.TasksDays), ct)
            && time.GetElapsedTime(started) < MaxTime)
        {
        }

        while (await organizations.SweepSomeAsync(now.AddDays(-options.Value.OrganizationsDays), ct)
            && time.GetElapsedTime(started) < MaxTime)
        {
        }

        while (await batches.SweepSomeAsync(now.AddDays(-options.Value.BatchesDays), ct)
            && time.GetElapsedTime(started) < MaxTime)
        {
        }
    }
}
