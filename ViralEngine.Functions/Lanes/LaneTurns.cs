using Microsoft.DurableTask;

namespace ViralEngine.Functions.Lanes;

/// <summary>
/// The turns of a lane. When a turn's time is over, the next starts while its running calls finish, so that one slow
/// call does not keep the lane's other places empty.
/// </summary>
internal static class LaneTurns
{
    /// <summary>After this many turns the history is restarted, as soon as no turn is running.</summary>
    private const int TurnsPerHistory = 20;

    /// <summary>After this many turns, it is restarted once the running turns have ended.</summary>
    private const int MaxTurns = 200;

    /// <param name="turnAsync">Runs a turn.</param>
    /// <param name="endedBy">Whether the lane ends after that turn.</param>
    /// <param name="waitAfter">The wait before the next turn; null for none.</param>
    /// <returns>The turn that ended the lane; null if the history must be restarted.</returns>
    public static async Task<T?> RunAsync<T>(
        TaskOrchestrationContext context,
        double turnSeconds,
        Func<Task<T>> turnAsync,
        Func<T, bool> endedBy,
        Func<T, TimeSpan?> waitAfter)
        where T : class
    {
        var draining = new List<Task<T>>();
        for (var turns = 0; turns < TurnsPerHistory || (draining.Count > 0 && turns < MaxTurns); turns++)
        {
            var turn = turnAsync();
            await PassedAsync(context, turn, turnSeconds);
            foreach (var ended in draining.Where(each => each.IsCompleted).ToList())
            {
                await ended;
                draining.Remove(ended);
            }

            if (!turn.IsCompleted)
            {
                draining.Add(turn);
                continue;
            }

            var result = await turn;
            if (endedBy(result))
            {
                await Task.WhenAll(draining);
                return result;
            }

            // By the orchestration's clock, which may differ from that of the process that ran the turn.
            if (waitAfter(result) is { } wait)
                await context.CreateTimer(context.CurrentUtcDateTime + wait, CancellationToken.None);
        }

        await Task.WhenAll(draining);
        return null;
    }

    /// <summary>Completes when the turn has ended or its time is over.</summary>
    private static async Task PassedAsync(TaskOrchestrationContext context, Task turn, double seconds)
    {
        using var waking = new CancellationTokenSource();
        var over = context.CreateTimer(context.CurrentUtcDateTime.AddSeconds(seconds), waking.Token);
        if (await Task.WhenAny(turn, over) != over)
            waking.Cancel(); // CancelAsync would cancel the timer on another thread than the orchestration's
    }
}
