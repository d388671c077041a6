using System.Globalization;
using Microsoft.DurableTask;

namespace ViralEngine.LocalHost.Tests.Durable;

/// <summary>
/// Orchestrations made up at random come to the same result whether one engine keeps them in memory or several replay
/// them, each step wherever it happens to land.
/// </summary>
public sealed class ReplayPropertyTests(DurableDatabaseFixture database) : IClassFixture<DurableDatabaseFixture>
{
    private static readonly DelegateCode Code = new DelegateCode()
        .Activity<int, int>("Mix", n => n % 7 == 0 ? throw new IOException("seven") : unchecked((n * 31) + 7))
        .Orchestrator<int, string>("Random", (context, seed) => RunAsync(context, seed, 0));

    [Fact]
    public async Task Random_programs_end_the_same_whichever_engine_runs_each_step()
    {
        var seeds = Enumerable.Range(0, 40).ToArray();
        await using var first = await DurableHost.StartAsync(database.ConnectionString, Code);
        var expected = await Task.WhenAll(seeds.Select(seed => OutputAsync(first, $"one-{seed}", seed)));
        await first.DisposeAsync();
        await using var second = await ReplayingAsync();
        await using var third = await ReplayingAsync();

        var actual = await Task.WhenAll(seeds.Select(seed =>
            OutputAsync(seed % 2 == 0 ? second : third, $"many-{seed}", seed)));

        Assert.Equal(expected, actual);
        Assert.True(expected.Distinct().Count() > 20, "The programs differ.");
    }

    private Task<DurableHost> ReplayingAsync() => DurableHost.StartAsync(database.ConnectionString, Code, options =>
    {
        options.MaxConcurrentActivities = 2;
        options.MaxConcurrentOrchestrations = 2;
    });

    private static async Task<string?> OutputAsync(DurableHost host, string id, int seed)
    {
        var finished = await host.RunAsync("Random", seed, id);
        return finished.FailureDetails?.ErrorMessage ?? finished.ReadOutputAs<string>();
    }

    /// <summary>
    /// A program that its seed determines: calls in sequence, in parallel and nested, timers and events.
    /// </summary>
    private static async Task<string> RunAsync(TaskOrchestrationContext context, int seed, int depth)
    {
        var dice = new Lcg((uint)seed);
        var value = seed;
        for (var left = 2 + dice.Next(5); left > 0; left--)
        {
            switch (dice.Next(6))
            {
                case 0:
                    value = await MixAsync(context, value);
                    break;
                case 1:
                    var width = 1 + dice.Next(6);
                    var mixed = await Task.WhenAll(
                        Enumerable.Range(value % 100, width).Select(n => MixAsync(context, n)));
                    value = mixed.Aggregate(value, (sum, n) => unchecked((sum * 17) + n));
                    break;
                case 2:
                    await context.CreateTimer(TimeSpan.FromMilliseconds(dice.Next(20)), CancellationToken.None);
                    break;
                case 3:
                    context.SendEvent(context.InstanceId, "self", value);
                    value = unchecked(value + await context.WaitForExternalEvent<int>("self"));
                    break;
                case 4 when depth == 0 && context.Parent is null:
                    var nested = await context.CallSubOrchestratorAsync<string>("Random", dice.Next(1000) + 1000);
                    value = unchecked(value + int.Parse(nested, CultureInfo.InvariantCulture));
                    break;
                default:
                    using (var end = new CancellationTokenSource())
                    {
                        var timer = context.CreateTimer(TimeSpan.FromHours(1), end.Token);
                        var call = MixAsync(context, value);
                        await Task.WhenAny(timer, call);
                        end.Cancel();
                        value = await call;
                    }

                    break;
            }
        }

        return value.ToString(CultureInfo.InvariantCulture);
    }

    private static async Task<int> MixAsync(TaskOrchestrationContext context, int n)
    {
        try
        {
            return await context.CallActivityAsync<int>("Mix", n);
        }
        catch (TaskFailedException)
        {
            return n + 1;
        }
    }

    private sealed class Lcg(uint seed)
    {
        private uint state = seed * 2654435761;

        public int Next(int below)
        {
            state = unchecked((state * 1664525) + 1013904223);
            return (int)((state >> 8) % (uint)below);
        }
    }
}
