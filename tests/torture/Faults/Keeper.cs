using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Faults;

/// <summary>
/// Starts an instance again that has ended by itself, as a supervisor would, and notes it. Notes as well when an
/// instance, or this whole machine, was too busy to answer: that it lost its work then is nobody's fault.
/// </summary>
internal sealed class Keeper(World world, Timeline timeline)
{
    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(4);
    private readonly ConcurrentQueue<string> ended = new();

    /// <summary>Instances that ended though nobody told them to.</summary>
    public IReadOnlyList<string> Ended => [.. ended];

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(
        [
            KeepAsync(stop), WatchAsync(stop),
            .. world.Instances.Select(
                instance => Task.Run(() => ProbeAsync(instance, stop), CancellationToken.None))
        ]);

    private async Task KeepAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (var instance in world.Instances.Where(
                instance => instance is { ShouldRun: true, App.IsRunning: false }))
            {
                ended.Enqueue(
                    $"at {timeline.Now:0.0} s {instance.Name} ended by itself; its log ends:\n"
                    + $"{Tail(instance.App.Output)}");
                var trouble = timeline.Begin("ended by itself", instance.Number);
                instance.App.StartWithoutWaiting();
                timeline.End(trouble);
            }

            await Task.Delay(500, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Asks the database for nothing, and looks how long that takes, and how late this process is itself.
    /// </summary>
    private async Task WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var from = timeline.Now;
            try
            {
                await using var database = await world.OpenAsync();
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                // It is down, or as good as that.
            }

            await Task.Delay(500, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (timeline.Now - from > TooLong.TotalSeconds && timeline.Explains(-1, from, timeline.Now) is null)
                timeline.Note($"this machine was too busy for {timeline.Now - from:0.0} s", 0, from);
        }
    }

    /// <summary>Asks for what needs no server.</summary>
    private async Task ProbeAsync(Instance instance, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = instance.App.Address, Timeout = TimeSpan.FromSeconds(60) };
        while (!stop.IsCancellationRequested)
        {
            var from = timeline.Now;
            var began = Stopwatch.GetTimestamp();
            try
            {
                using var answer = await http.GetAsync("/api/health", stop);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // It is down.
            }

            if (Stopwatch.GetElapsedTime(began) > TooLong
                && timeline.Explains(instance.Number, from, timeline.Now) is null && !stop.IsCancellationRequested)
                timeline.Note($"too busy to answer for {timeline.Now - from:0.0} s", instance.Number, from);
            await Task.Delay(500, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static string Tail(string output) => string.Join('\n', output.Split('\n').TakeLast(25));
}
