using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Faults;

/// <summary>
/// Two sequences of faults at a time, of instances and of servers, each in an order from the seed: every kind once
/// before any comes again.
/// </summary>
internal sealed class Chaos(World world, Timeline timeline, int seed)
{
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(
        RunAsync(InstanceFaults.All, new Random(seed), stop),
        RunAsync(ServerFaults.All(world), new Random(seed + 1), stop));

    private async Task RunAsync(IReadOnlyList<Fault> kinds, Random random, CancellationToken stop)
    {
        await Task.Yield();
        var bag = new Queue<Fault>();
        while (true)
        {
            if (bag.Count == 0)
            {
                var order = kinds.ToArray();
                random.Shuffle(order);
                bag = new Queue<Fault>(order);
            }

            // All of a fault's numbers are drawn before anything is waited for: the next ones do not depend on how this
            // one goes.
            var fault = bag.Dequeue();
            var instance = world.Instances[random.Next(world.Instances.Count)];
            var own = new Random(random.Next());
            var pause = TimeSpan.FromMilliseconds(random.Next(1000, 7000));
            await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
                return;
            await fault.RunAsync(world, timeline, instance, own);
        }
    }
}
