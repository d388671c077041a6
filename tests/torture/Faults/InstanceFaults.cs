using ViralEngine.Testing;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Faults;

/// <summary>What happens to one instance, or between it and its servers.</summary>
internal static class InstanceFaults
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("kill", NeedsInstance: true, KillAsync),
        new("freeze", NeedsInstance: true, FreezeAsync),
        new("graceful restart", NeedsInstance: true, RestartAsync),
        new("cut PostgreSQL off", NeedsInstance: true, (world, timeline, instance, random) => CutAsync(
            timeline, instance, instance.Postgres, "PostgreSQL", random)),
        new(
            "cut Redis off", NeedsInstance: true,
            (world, timeline, instance, random) => CutAsync(timeline, instance, instance.Redis, "Redis", random)),
        new("slow network", NeedsInstance: true, SlowAsync),
        .. FakeTime.Library is null ? [] : (Fault[])[new("clock shift", NeedsInstance: true, ShiftAsync)],
    ];

    private static async Task KillAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("SIGKILL", instance.Number);
        await instance.KillAsync();
        await Task.Delay(random.Next(3000));
        await instance.StartAsync();
        timeline.End(trouble);
    }

    /// <summary>Longer or shorter than a lease.</summary>
    private static async Task FreezeAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("SIGSTOP", instance.Number);
        instance.App.Freeze();
        await Task.Delay(random.Next(5000, 20_000));
        instance.App.Thaw();
        timeline.End(trouble);
    }

    private static async Task RestartAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("SIGTERM", instance.Number);
        await StopAsync(timeline, instance);
        await instance.StartAsync();
        timeline.End(trouble);
    }

    private static async Task CutAsync(Timeline timeline, Instance instance, TcpLink link, string server, Random random)
    {
        var trouble = timeline.Begin($"network to {server} cut", instance.Number, stopsWork: server == "PostgreSQL");
        link.Cut();
        await Task.Delay(random.Next(3000, 18_000));
        var reset = random.Next(2) == 0;
        if (reset)
            link.Reset();
        link.Heal();
        timeline.End(trouble);
    }

    private static async Task SlowAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var trouble = timeline.Begin("slow network", instance.Number, stopsWork: false);
        instance.Postgres.Slow(TimeSpan.FromMilliseconds(random.Next(20, 250)));
        instance.Redis.Slow(TimeSpan.FromMilliseconds(random.Next(20, 500)));
        await Task.Delay(random.Next(5000, 15_000));
        instance.Postgres.Heal();
        instance.Redis.Heal();
        timeline.End(trouble);
    }

    private static async Task ShiftAsync(World world, Timeline timeline, Instance instance, Random random)
    {
        var shift = TimeSpan.FromHours(random.Next(2) == 0 ? 1 : -1);
        var trouble = timeline.Begin(
            $"SIGTERM, to be started with a clock {shift.TotalHours:+0;-0} h off", instance.Number);
        await StopAsync(timeline, instance);
        instance.ClockShift = shift;
        await instance.StartAsync();
        timeline.End(trouble);
        var wrong = timeline.Begin($"clock {shift.TotalHours:+0;-0} h off", instance.Number, stopsWork: false);
        await Task.Delay(random.Next(15_000, 30_000));
        timeline.End(wrong);
        instance.ClockShift = null;
        await RestartAsync(world, timeline, instance, random);
    }

    private static async Task StopAsync(Timeline timeline, Instance instance)
    {
        try
        {
            await instance.StopAsync();
        }
        catch (TimeoutException)
        {
            timeline.Say($"  {instance.Name} has not ended within a minute of SIGTERM: SIGKILL");
            await instance.KillAsync();
        }
    }
}
