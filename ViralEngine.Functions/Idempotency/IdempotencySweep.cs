using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Idempotency;

namespace ViralEngine.Functions.Idempotency;

/// <summary>Removes keys whose time is over, a portion at a time.</summary>
internal sealed class IdempotencySweep(IdempotencyStore store)
{
    private const int Portion = 5_000;

    [Function("SweepIdempotencyKeys")]
    public async Task RunAsync([TimerTrigger("0 */10 * * * *")] TimerInfo timer, CancellationToken ct)
    {
        while (await store.SweepAsync(Portion, ct) == Portion)
            ct.ThrowIfCancellationRequested();
    }
}
