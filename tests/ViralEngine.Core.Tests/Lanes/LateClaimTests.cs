using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Lanes;

namespace ViralEngine.Core.Tests.Lanes;

public sealed class LateClaimTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider time = new();
    private int renewals;

    [Fact]
    public async Task A_claim_that_came_at_once_costs_no_further_statement()
    {
        var since = time.GetTimestamp();
        time.Advance(Lease * 0.4);

        Assert.Equal([1, 2], await StillHeldAsync([1, 2], since, held => held));
        Assert.Equal(0, renewals);
    }

    [Fact]
    public async Task What_another_has_taken_meanwhile_is_left_to_it()
    {
        var since = time.GetTimestamp();
        time.Advance(Lease * 0.6);

        Assert.Equal([2], await StillHeldAsync([1, 2], since, _ => [2]));
        Assert.Equal(1, renewals);
    }

    [Fact]
    public async Task A_renewal_that_was_long_on_its_way_too_is_made_again()
    {
        var since = time.GetTimestamp();
        time.Advance(Lease);

        Assert.Equal([3], await StillHeldAsync([1, 2, 3], since, held =>
        {
            if (renewals == 1)
                time.Advance(Lease);
            return [.. held.Skip(1)];
        }));
        Assert.Equal(2, renewals);
    }

    private Task<IReadOnlyList<int>> StillHeldAsync(IReadOnlyList<int> claimed, long since, Func<IReadOnlyList<int>, IReadOnlyList<int>> renew) =>
        LateClaim.StillHeldAsync(claimed, since, Lease, time, held =>
        {
            renewals++;
            return Task.FromResult(renew(held));
        });
}
