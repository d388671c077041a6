using ViralEngine.Core.Idempotency;

namespace ViralEngine.Functions.Idempotency;

/// <summary>Removes expired keys, a portion at a time.</summary>
internal sealed class IdempotencySweep(IdempotencyStore store)
{
    private const int Portion = 5_000;

    public async Task RunAsync(CancellationToken ct)
    {
        while (await store.SweepAsync(Portion, ct) == Portion)
            ct.ThrowIfCancellationRequested();
    }
}
