using System.Diagnostics;
using ViralEngine.Testing;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Promises;

/// <summary>
/// What instances hold: connections and memory, when nothing had happened yet and when everything is over.
/// </summary>
internal sealed record Resources(long Connections, IReadOnlyList<long> Bytes)
{
    private const long Megabyte = 1024 * 1024;

    /// <summary>
    /// A pool that nobody uses gives connections back within half a minute; a few are held for good (notifications).
    /// </summary>
    private const int FewConnections = 6;

    /// <summary>An instance that was busy for the first time keeps compiled code and some heap.</summary>
    private const long SomeBytes = 350 * Megabyte;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    public static async Task<Resources> MeasureAsync(World world)
    {
        await using var database = await world.OpenAsync(patience: 300);
        var connections = await Rows.QueryAsync(
            database, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'", row => row.GetInt64(0));
        return new Resources(connections[0], [.. world.Instances.Select(BytesOf)]);
    }

    public async Task CheckAsync(World world, Evidence evidence)
    {
        var connections = evidence.NewPromise("connections are given back");
        var memory = evidence.NewPromise("memory is given back");
        Resources now;
        try
        {
            now = await Eventually.GetAsync(
                () => MeasureAsync(world), now => now.Connections <= Connections + FewConnections,
                "connections to be given back", Bound);
        }
        catch (TimeoutException)
        {
            now = await MeasureAsync(world);
        }

        connections.Expect(
            now.Connections <= Connections + FewConnections,
            () => $"{Connections} before, {now.Connections} when all was quiet");
        foreach (var (instance, before, after) in world.Instances.Zip(Bytes, now.Bytes))
        {
            memory.Expect(
                after <= before + SomeBytes,
                () =>
                    $"{instance.Name} held {before / Megabyte} MiB before, {after / Megabyte} MiB when all was quiet");
        }
    }

    private static long BytesOf(Instance instance)
    {
        using var process = Process.GetProcessById(instance.App.ProcessId);
        return process.WorkingSet64;
    }
}
