namespace ViralEngine.Bench;

/// <summary>Sends requests from one thread of wrk, which costs little beside the app.</summary>
/// <param name="address">What is asked for; a script may go on from it.</param>
/// <param name="connections">How many requests are under way at a time.</param>
/// <param name="script">A file of the folder wrk; null: GET.</param>
/// <param name="environment">What the script reads.</param>
internal sealed class Wrk(Uri address, int connections, string? script, IReadOnlyDictionary<string, string> environment)
{
    private const int WarmUpSeconds = 5;
    private const int MaxWarmUps = 16;

    public async Task<WrkResult> RunAsync(int seconds) => WrkResult.Parse(await Command.RunAsync(
        "wrk",
        [
            "-t1", $"-c{connections}", $"-d{seconds}s", "--latency", "--timeout", "30s",
            .. script is null ? [] : (string[])["-s", Path.Combine(AppContext.BaseDirectory, "wrk", script)],
            address.ToString(),
        ],
        environment));

    /// <summary>
    /// Until the app is compiled for speed, which takes it the better part of a minute: until two runs in a row were
    /// not a tenth faster than the best before them.
    /// </summary>
    public async Task WarmUpAsync()
    {
        var (best, steady) = (0.0, 0);
        for (var run = 0; run < MaxWarmUps && steady < 2; run++)
        {
            var rate = (await RunAsync(WarmUpSeconds)).PerSecond;
            steady = rate > best * 1.1 ? 0 : steady + 1;
            best = Math.Max(best, rate);
        }
    }
}
