using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace ViralEngine.Torture;

/// <summary>
/// What was done to whom and when, in seconds since the run began: what explains a call that was made again.
/// </summary>
internal sealed class Timeline
{
    private readonly ConcurrentQueue<Trouble> all = new();
    private readonly long began = Stopwatch.GetTimestamp();

    public double Now => Stopwatch.GetElapsedTime(began).TotalSeconds;

    public IReadOnlyList<Trouble> All => [.. all.OrderBy(trouble => trouble.From)];

    /// <param name="instance">The one it is done to; 0: all of them.</param>
    /// <param name="stopsWork">Whether what an instance runs may be lost to it. What happens to Redis must not.</param>
    public Trouble Begin(string what, int instance = 0, bool stopsWork = true)
    {
        var trouble = new Trouble(what, instance, stopsWork, Now);
        all.Enqueue(trouble);
        Say($"{what}{(instance > 0 ? $" (instance {instance})" : "")}");
        return trouble;
    }

    public void End(Trouble trouble)
    {
        trouble.Until = Now;
        Say($"  over: {trouble.What}{(trouble.Instance > 0 ? $" (instance {trouble.Instance})" : "")}, "
            + $"{trouble.Until - trouble.From:0.0} s");
    }

    /// <summary>Something that has been going on since a moment, and is over.</summary>
    public void Note(string what, int instance, double from)
    {
        all.Enqueue(new Trouble(what, instance, stopsWork: true, from) { Until = Now });
        Say($"{what}{(instance > 0 ? $" (instance {instance})" : "")}");
    }

    public void Say(string what) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Now,7:0.0}  {what}"));

    /// <summary>
    /// Whether something was done to the instance between the two moments that may have taken its work from it.
    /// </summary>
    public Trouble? Explains(int instance, double from, double until) => all.FirstOrDefault(trouble =>
        trouble.StopsWork && (trouble.Instance == 0 || instance == 0 || trouble.Instance == instance)
        && trouble.From <= until && trouble.Until >= from);
}

internal sealed class Trouble(string what, int instance, bool stopsWork, double from)
{
    public string What => what;

    public int Instance => instance;

    public bool StopsWork => stopsWork;

    public double From => from;

    public double Until { get; set; } = double.PositiveInfinity;
}
