using ViralEngine.Core.Limits;

namespace ViralEngine.Functions.Limits;

/// <summary>Releases the reservations of dead processes, and deletes old settlements.</summary>
internal sealed class BudgetSweep(BudgetStore store)
{
    private const int Portion = 500;
    private const int MaxForgotten = 10_000;

    /// <summary>Longer than a settlement is retried, and than a network can delay a statement.</summary>
    private static readonly TimeSpan SettlementsAreKept = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken ct)
    {
        while (await store.SweepAsync(Portion, ct) == Portion)
            ct.ThrowIfCancellationRequested();
    }

    public async Task ForgetAsync(CancellationToken ct)
    {
        while (await store.ForgetAsync(SettlementsAreKept, MaxForgotten, ct) == MaxForgotten)
            ct.ThrowIfCancellationRequested();
    }
}
