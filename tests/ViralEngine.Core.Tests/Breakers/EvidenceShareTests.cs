using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Breakers;

namespace ViralEngine.Core.Tests.Breakers;

public sealed class EvidenceShareTests
{
    private static readonly Guid Loud = Guid.CreateVersion7();
    private static readonly Guid Other = Guid.CreateVersion7();
    private readonly FakeTimeProvider clock = new();

    [Fact]
    public void A_tenant_is_heard_for_his_share_of_each_sampling_time_and_hosts_and_others_have_theirs()
    {
        var share = new EvidenceShare(
            new BreakersOptions { MinimumCalls = 20, FailureRatio = 0.5, SamplingSeconds = 30 }, clock);

        var first = Enumerable.Range(0, 100).Count(_ => share.Take(Loud, "host"));
        var elsewhere = share.Take(Loud, "elsewhere");
        var other = share.Take(Other, "host");
        clock.Advance(TimeSpan.FromSeconds(30));
        var next = Enumerable.Range(0, 100).Count(_ => share.Take(Loud, "host"));

        Assert.Equal((5, true, true, 5), (first, elsewhere, other, next));
    }
}
