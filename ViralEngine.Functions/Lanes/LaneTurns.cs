using Microsoft.DurableTask;

namespace ViralEngine.Functions.Lanes;

/// <summary>
/// The turns of a lane, one after the other. When the time of one is over the next begins beside it, while what it runs comes to its end:
/// one slow call does not keep the lane's other places empty.
/// </summary>
internal static class LaneTurns
{
    /// <summary>After so many turns the history begins anew, as soon as none is under way.</summary>
    private const int TurnsPerHistory = 20;

    /// <summary>Then it is waited for that.</summary>
    private const int MostTurns = 200;

    /// <param name="turnAsync">Runs a turn.</param>
    /// <param name="endedBy">Whether the lane ends after that turn.</param>
    /// <param name="waitAfter">After which the next turn is worth its while; null: at once.</param>
    /// <returns>The turn that ended the lane; null: the history is to begin anew.</returns>
    public static async Task<T?> RunAsync<T>(
        TaskOrchestrationContext context,
        double turnSeconds,
        Func<Task<T>> turnAsync,
        Func<T, bool> endedBy,
        Func<T, TimeSpan?> waitAfter)
        where T : class
    {
        var draining = new List<Task<T>>();
        for (var turns = 0; turns < TurnsPerHistory || (draining.Count > 0 && turns < MostTurns); turns++)
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

            // By the orchestration's clock: that of the process that ran the turn may be another.
            if (waitAfter(result) is { } wait)
                await context.CreateTimer(context.CurrentUtcDateTime + wait, CancellationToken.None);
        }

        await Task.WhenAll(draining);
        return null;
    }

    /// <summary>Until the turn has ended, or its time is over.</summary>
    private static async Task PassedAsync(TaskOrchestrationContext context, Task turn, double seconds)
    {
        using var waking = new CancellationTokenSource();
        var over = context.CreateTimer(context.CurrentUtcDateTime.AddSeconds(seconds), waking.Token);
        if (await Task.WhenAny(turn, over) != over)
            waking.Cancel(); // CancelAsync would tell the timer on a thread that is not the orchestration's
    }
}
