using Microsoft.Extensions.Options;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tests.Lanes;

public sealed class CallSlotsTests
{
    private static readonly TenantId Busy = new(Guid.CreateVersion7());
    private static readonly TenantId Other = new(Guid.CreateVersion7());

    [Fact]
    public void One_tenant_alone_fills_four_fifths_and_a_newcomer_finds_room_at_once()
    {
        var slots = Slots(1000);

        var alone = slots.Take(Busy, 5000);
        var more = slots.Take(Busy, 5000);
        var newcomer = slots.Take(Other, 10);

        Assert.Equal((800, 0, 10), (alone, more, newcomer));
    }

    [Fact]
    public void What_tenants_hold_becomes_equal_as_calls_end()
    {
        var slots = Slots(100);
        var busy = slots.Take(Busy, 1000);
        var other = 0;

        // Calls of the one that has more end, one after the other; both want all they can get.
        for (var i = 0; i < 500; i++)
        {
            other += slots.Take(Other, 1000);
            busy += slots.Take(Busy, 1000);
            slots.Return(busy >= other ? Busy : Other);
            _ = busy >= other ? busy-- : other--;
        }

        Assert.InRange(busy, 42, 46);
        Assert.InRange(other, 42, 46);
    }

    [Fact]
    public void The_smallest_instance_lets_one_call_go_and_never_more_than_it_has_places()
    {
        var one = Slots(1);
        var many = Slots(7);

        Assert.Equal((1, 0), (one.Take(Busy, 5), one.Take(Other, 5)));
        var taken = Enumerable.Range(0, 100).Sum(_ => many.Take(new TenantId(Guid.CreateVersion7()), 3));
        Assert.Equal(7, taken);
        Assert.Equal(7, many.Used);
    }

    [Fact]
    public void What_is_set_aside_and_not_used_is_free_again_and_who_has_much_may_have_little_of_it()
    {
        var slots = Slots(100);
        slots.Take(Busy, 70);

        using (var reserve = slots.SetAside(30))
        {
            Assert.Equal(30, reserve.Places);
            Assert.Equal(10, reserve.Rooms[Busy]); // four times what is free: (4 * 30 - 70) / 5
            Assert.Equal(24, reserve.Newcomers);
            reserve.Spend(Other);
            Assert.Equal(100, slots.Used);
        }

        Assert.Equal(71, slots.Used);
        slots.Return(Other);
        Assert.Equal(70, slots.Used);
    }

    private static CallSlots Slots(int places) => new(Options.Create(new LanesOptions { CallsPerInstance = places }));
}
