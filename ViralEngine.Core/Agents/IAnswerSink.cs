namespace ViralEngine.Core.Agents;

/// <summary>Where an answer goes while an agent gives it.</summary>
public interface IAnswerSink
{
    /// <summary>How many characters the answer has so far.</summary>
    int Length { get; }

    void Add(string chunk);

    /// <summary>
    /// A call has ended and used this much, whatever came of it. Each call is told of once, those before a fallback's too.
    /// </summary>
    void Use(AgentUsage usage);

    /// <summary>Another agent begins: what came so far is not part of the answer.</summary>
    void Reset();

    /// <summary>The agent has nothing ready: a good moment to pass on what has come.</summary>
    void Flush();

    /// <summary>The agent tells how far it is, 0 to 1.</summary>
    Task ReportAsync(double fraction, string? message, CancellationToken ct);
}
