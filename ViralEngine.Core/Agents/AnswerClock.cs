namespace ViralEngine.Core.Agents;

/// <summary>
/// The time left for an answer. Three limits apply: for the whole call; for the time to the first text, if the agent
/// has one; and for silence within the answer. Any byte ends a silence, such as a comment or reasoning.
/// </summary>
internal sealed class AnswerClock : IDisposable
{
    private enum Limit { Call, FirstText, Silence }

    /// <summary>A missing answer within less time than this says nothing about the host.</summary>
    private static readonly TimeSpan FairTime = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource clock;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly TimeSpan limit;
    private readonly TimeSpan idle;
    private readonly TimeSpan? firstText;
    private long lastHeard;
    private bool begun;
    private bool hasText;
    private volatile Limit tightest;

    public AnswerClock(AgentCall call, AgentsOptions options, TimeProvider time)
    {
        this.time = time;
        var settings = call.Agent.Settings;
        limit = Seconds(settings.TimeoutSeconds) is { } own && own < call.Timeout ? own : call.Timeout;
        idle = Seconds(settings.IdleTimeoutSeconds ?? options.IdleTimeoutSeconds)!.Value;
        firstText = Seconds(settings.FirstTextTimeoutSeconds);
        started = lastHeard = time.GetTimestamp();
        clock = new CancellationTokenSource(Left(), time);
    }

    public CancellationToken Token => clock.Token;

    public void Heard()
    {
        lastHeard = time.GetTimestamp();
        if (begun)
            clock.CancelAfter(Left());
    }

    /// <summary>While a chunk is processed, only the limit for the whole call runs.</summary>
    public void Pause() => clock.CancelAfter(LeftOfCall());

    public void GoOn(AgentChunk chunk)
    {
        begun |= chunk is AgentChunk.Text or AgentChunk.Working or AgentChunk.Progress;
        hasText |= chunk is AgentChunk.Text;
        lastHeard = time.GetTimestamp();
        clock.CancelAfter(Left());
    }

    public void Stop() => clock.Cancel();

    /// <summary>
    /// The limit that ran out: the one that last set the clock. Comparing times would be less reliable, because timers
    /// may fire early.
    /// </summary>
    public string Verdict() => tightest switch
    {
        Limit.FirstText => $"sent no text within {firstText!.Value.TotalSeconds:0} s",
        Limit.Silence => $"started to answer and then sent nothing for {idle.TotalSeconds:0} s",
        _ => "did not answer in time",
    };

    /// <summary>Silence counts against a host; an answer that takes longer than the agent allows does not.</summary>
    public HostEvidence Evidence() =>
        time.GetElapsedTime(lastHeard) >= FairTime ? HostEvidence.Failing : HostEvidence.None;

    public void Dispose() => clock.Dispose();

    private TimeSpan Left()
    {
        var left = LeftOfCall();
        if (!hasText && firstText is { } most && most - time.GetElapsedTime(started) is var toText && toText < left)
        {
            left = toText;
            tightest = Limit.FirstText;
        }

        if (begun && idle - time.GetElapsedTime(lastHeard) is var quiet && quiet < left)
        {
            left = quiet;
            tightest = Limit.Silence;
        }

        return NotNegative(left);
    }

    private TimeSpan LeftOfCall()
    {
        tightest = Limit.Call;
        return NotNegative(limit - time.GetElapsedTime(started));
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is { } given ? TimeSpan.FromSeconds(given) : null;

    private static TimeSpan NotNegative(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;
}
