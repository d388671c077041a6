namespace ViralEngine.Core.Agents;

/// <summary>Receives an answer while it arrives.</summary>
public interface IAnswerSink
{
    /// <summary>The number of characters of the answer so far.</summary>
    int Length { get; }

    void Add(string chunk);

    /// <summary>
    /// Records the usage of a call that has ended, successful or not. Called once for each call, including failed ones
    /// before a fallback.
    /// </summary>
    void Use(AgentUsage usage);

    /// <summary>Another agent is called: discards the text so far.</summary>
    void Reset();

    /// <summary>The agent has nothing ready: a good moment to pass on what has arrived.</summary>
    void Flush();

    /// <summary>Reports the agent's progress, 0 to 1.</summary>
    Task ReportAsync(double fraction, string? message, CancellationToken ct);
}
