using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Storage;

namespace ViralEngine.Core.Tests.Batches;

public sealed class SharingTests
{
    private static readonly TenantId Busy = new(Guid.CreateVersion7());
    private static readonly TenantId Other = new(Guid.CreateVersion7());

    [Fact]
    public async Task Gives_turns_to_tenants_in_rotation_however_many_one_waits_for()
    {
        var turns = new TenantTurns(Options.Create(new BatchOptions { StoreTurns = 1 }));
        var order = new List<string>();
        var running = await turns.TakeAsync(Busy);
        var waiting = new List<Task>();
        for (var i = 0; i < 4; i++)
            waiting.Add(NoteAsync(Busy, "busy"));
        waiting.Add(NoteAsync(Other, "other"));

        running.Dispose();
        await Task.WhenAll(waiting);

        Assert.Equal(["busy", "other", "busy", "busy", "busy"], order);

        async Task NoteAsync(TenantId tenant, string name)
        {
            using var turn = await turns.TakeAsync(tenant);
            lock (order)
                order.Add(name);
        }
    }

    [Fact]
    public void A_newcomer_has_its_share_of_lanes_as_soon_as_turns_end()
    {
        var time = new FakeTimeProvider();
        var budget = new LaneBudget(Options.Create(new BatchOptions { LanesPerInstance = 4 }), time);

        var alone = Enumerable.Range(0, 4).Select(_ => budget.TryTake(Busy)!).ToList();
        var full = budget.TryTake(Other);
        alone[0].Dispose();
        alone[1].Dispose();
        var again = budget.TryTake(Busy);
        var first = budget.TryTake(Other);
        var second = budget.TryTake(Other);
        var third = budget.TryTake(Other);

        Assert.Null(full);
        Assert.Null(again);
        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.Null(third);
    }

    [Fact]
    public void Who_has_wanted_nothing_for_a_while_leaves_its_share_to_the_others()
    {
        var time = new FakeTimeProvider();
        var budget = new LaneBudget(Options.Create(new BatchOptions { LanesPerInstance = 2 }), time);

        budget.TryTake(Other)!.Dispose();
        var one = budget.TryTake(Busy);
        var refused = budget.TryTake(Busy);
        time.Advance(TimeSpan.FromSeconds(11));
        var two = budget.TryTake(Busy);

        Assert.NotNull(one);
        Assert.Null(refused);
        Assert.NotNull(two);
    }
}
