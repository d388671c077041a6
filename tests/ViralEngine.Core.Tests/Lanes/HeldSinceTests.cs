using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Lanes;

namespace ViralEngine.Core.Tests.Lanes;

public sealed class HeldSinceTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider time = new();
    private readonly HeldSince since;

    public HeldSinceTests() => since = new HeldSince(Lease, time, time.GetTimestamp());

    [Fact]
    public void A_lease_that_has_just_begun_needs_no_confirmation()
    {
        time.Advance(Lease * 0.4);

        Assert.True(since.ConfirmAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task An_old_lease_is_confirmed_by_its_renewal()
    {
        time.Advance(Lease * 0.6);
        var confirmed = since.ConfirmAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(1));
        var waited = !confirmed.IsCompleted;

        since.Renewed(time.GetTimestamp());
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(waited);
        await confirmed.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_renewal_that_was_long_on_its_way_confirms_nothing()
    {
        var sent = time.GetTimestamp();
        time.Advance(Lease);
        var confirmed = since.ConfirmAsync(CancellationToken.None);

        since.Renewed(sent);
        time.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAsync<TimeoutException>(() => confirmed.WaitAsync(TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public async Task Nobody_waits_for_a_lease_that_is_lost()
    {
        using var lost = new CancellationTokenSource();
        time.Advance(Lease);
        var confirmed = since.ConfirmAsync(lost.Token);

        await lost.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => confirmed);
    }
}
