using ViralEngine.Core.Limits;

namespace ViralEngine.Functions.Limits;

/// <summary>Gives back the money that dead processes had set aside.</summary>
internal sealed class BudgetSweep(BudgetStore store)
{
    private const int Portion = 500;

    public async Task RunAsync(CancellationToken ct)
    {
        while (await store.SweepAsync(Portion, ct) == Portion)
            ct.ThrowIfCancellationRequested();
    }
}
