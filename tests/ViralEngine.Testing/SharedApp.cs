namespace ViralEngine.Testing;

/// <summary>
/// One instance for all classes of a test process that keep to organizations of their own. Classes with settings of
/// their own, or that kill it, start their own.
/// </summary>
public static class SharedApp
{
    private static readonly Lazy<Task<RunningApp>> Running = new(StartAsync);
    private static int reported;

    public static Task<RunningApp> StartedAsync() => Running.Value;

    /// <summary>Fails on errors in its log that no class has failed on before.</summary>
    public static async Task CheckAsync()
    {
        var faults = (await Running.Value).App.Faults;
        var before = Interlocked.Exchange(ref reported, faults.Count);
        if (faults.Count > before)
            throw new ApiExpectationException(
                $"The app logged {faults.Count - before} errors that no test expects. The first:\n{faults[before]}");
    }

    private static async Task<RunningApp> StartAsync()
    {
        var running = new RunningApp();
        await running.InitializeAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(running);
        return running;
    }

    private static void End(RunningApp running)
    {
        try
        {
            running.DisposeAsync().Wait(TimeSpan.FromSeconds(20));
        }
        catch (AggregateException)
        {
            // Its faults were reported by the classes that used it.
        }
    }
}
