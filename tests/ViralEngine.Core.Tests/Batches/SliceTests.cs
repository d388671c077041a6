using ViralEngine.Core.Batches;

namespace ViralEngine.Core.Tests.Batches;

public sealed class SliceTests
{
    [Fact]
    public void Claims_one_item_of_a_slow_agent_and_hundreds_of_a_quick_one()
    {
        Assert.Equal(1, ClaimSize.Next(1, ran: 1, TimeSpan.FromSeconds(3), bytes: 100));
        Assert.Equal(4, ClaimSize.Next(1, ran: 1, TimeSpan.FromMicroseconds(50), bytes: 100));
        Assert.Equal(500, ClaimSize.Next(400, ran: 400, TimeSpan.FromMilliseconds(4), bytes: 40_000));
        Assert.Equal(5, ClaimSize.Next(500, ran: 20, TimeSpan.FromMilliseconds(400), bytes: 2_000));
        Assert.Equal(2, ClaimSize.Next(500, ran: 4, TimeSpan.FromMilliseconds(1), bytes: 4_000_000));
        Assert.Equal(64, ClaimSize.Next(64, ran: 0, TimeSpan.Zero, bytes: 0));
    }

    [Fact]
    public void A_small_batch_is_cut_so_that_each_lane_gets_some_of_it()
    {
        Assert.Equal(1, BatchIntake.SliceSize(20, lanes: 20));
        Assert.Equal(12, BatchIntake.SliceSize(1000, lanes: 20));
        Assert.Equal(500, BatchIntake.SliceSize(1_000_000, lanes: 50));
    }

    [Fact]
    public void What_is_tried_again_waits_in_ranges_that_do_not_overlap()
    {
        ItemOutcome[] outcomes =
        [
            Again(1, seconds: 1), Done(2), Again(3, seconds: 1.5), Done(4), Again(5, seconds: 60),
            Again(6, seconds: 61), Again(7, seconds: 1),
        ];

        var rest = SliceRunner.Rest(outcomes, next: 8, last: 10);

        Assert.Equal(
            [
                new SliceRest(1, 3, TimeSpan.FromSeconds(1.5)), new SliceRest(5, 6, TimeSpan.FromSeconds(61)),
                new SliceRest(7, 7, TimeSpan.FromSeconds(1)), new SliceRest(8, 10, TimeSpan.Zero),
            ],
            rest);
    }

    [Fact]
    public void Knows_an_item_by_the_same_id_at_each_attempt_and_no_other_by_it()
    {
        var batch = Guid.CreateVersion7();

        var ids = Enumerable.Range(1, 1000).Select(number => BatchItem.IdOf(batch, number)).ToHashSet();

        Assert.Equal(1000, ids.Count);
        Assert.Contains(BatchItem.IdOf(batch, 17), ids);
        Assert.DoesNotContain(batch, ids);
    }

    private static ItemOutcome Done(int number) =>
        new(number, "completed", new ItemResult("x", null), "echo", null, null, null, null);

    private static ItemOutcome Again(int number, double seconds) =>
        new(number, "pending", null, null, null, "{}", null, TimeSpan.FromSeconds(seconds));
}
