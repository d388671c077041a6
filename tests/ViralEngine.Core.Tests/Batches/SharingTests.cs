using Microsoft.Extensions.Options;
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
}
