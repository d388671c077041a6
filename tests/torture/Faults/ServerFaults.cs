using StackExchange.Redis;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Faults;

/// <summary>What happens to the servers that all instances share.</summary>
internal static class ServerFaults
{
    public static IReadOnlyList<Fault> All(World world) =>
    [
        new("PostgreSQL crash", NeedsInstance: false, CrashAsync),
        new("failover", NeedsInstance: false, FailOverAsync),
        new("Redis away", NeedsInstance: false, StopRedisAsync),
        new("FLUSHALL", NeedsInstance: false, (world, timeline, _, _) => TellRedisAsync(world, timeline, "FLUSHALL")),
        new(
            "CLIENT KILL", NeedsInstance: false,
            (world, timeline, _, _) => TellRedisAsync(world, timeline, "CLIENT", "KILL", "TYPE", "NORMAL")),
        .. world.Disk.CanBeFilled ? (Fault[])[new("disk full", NeedsInstance: false, FillDiskAsync)] : [],
    ];

    private static async Task CrashAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("PostgreSQL stopped at once");
        await world.Database.CrashAsync();
        await Task.Delay(random.Next(6000));
        await world.Database.RestartAsync();
        timeline.End(trouble);
    }

    private static async Task FailOverAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("PostgreSQL lost, its standby promoted");
        await world.FailOverAsync();
        timeline.End(trouble);
    }

    private static async Task FillDiskAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("disk of the database full");
        var full = world.Disk.TryFill();
        await Task.Delay(random.Next(4000, 12_000));
        world.Disk.Free();
        var stopped = await world.ReviveDatabaseAsync();
        timeline.End(trouble);
        timeline.Say(
            full ? $"  the database {(stopped ? "had stopped" : "went on running")}" : "  it could not be made full");
    }

    private static async Task StopRedisAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("Redis killed", stopsWork: false);
        await world.Redis.KillAsync();
        await Task.Delay(random.Next(1000, 15_000));
        await world.Redis.RestartAsync();
        timeline.End(trouble);
    }

    private static async Task TellRedisAsync(World world, Timeline timeline, string command, params object[] args)
    {
        var trouble = timeline.Begin($"{command} {string.Join(' ', args)}".TrimEnd(), stopsWork: false);
        var options = ConfigurationOptions.Parse(world.Redis.ConnectionString);
        options.AllowAdmin = true;
        try
        {
            await using var admin = await ConnectionMultiplexer.ConnectAsync(options);
            await admin.GetServers()[0].ExecuteAsync(command, args);
        }
        catch (RedisException e)
        {
            timeline.Say($"  {e.Message.Split('\n')[0]}"); // a client that has killed itself as well
        }

        timeline.End(trouble);
    }
}
