using System.Diagnostics;

namespace ViralEngine.Testing;

/// <summary>
/// Waits for what must become true, as long as it takes within a bound so generous that only a fault reaches it.
/// </summary>
public static class Eventually
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    /// <summary>Asks until the answer is true.</summary>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? bound = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, bound);

    /// <summary>Asks until the answer is true.</summary>
    public static Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? bound = null) =>
        GetAsync(condition, answer => answer, what, bound);

    /// <summary>Asks until the answer is as wanted, and returns it.</summary>
    /// <param name="what">Completes the sentence "waited for …".</param>
    /// <exception cref="TimeoutException">It never was; the message tells the last answer.</exception>
    public static async Task<T> GetAsync<T>(
        Func<Task<T>> ask, Func<T, bool> wanted, string what, TimeSpan? bound = null)
    {
        var clock = Stopwatch.StartNew();
        var pause = TimeSpan.FromMilliseconds(5);
        while (true)
        {
            var answer = await ask();
            if (wanted(answer))
                return answer;
            if (clock.Elapsed > (bound ?? Bound))
                throw new TimeoutException(
                    $"Waited {clock.Elapsed.TotalSeconds:F0} s for {what}; the last answer was: {answer}");
            await Task.Delay(pause);
            pause = TimeSpan.FromMilliseconds(Math.Min(pause.TotalMilliseconds * 1.5, 200));
        }
    }
}
