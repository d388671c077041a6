using ViralEngine.Core.Agents;

namespace ViralEngine.Core.Flow;

/// <summary>
/// The calls that this process runs, and its own turns while Redis does not answer: a share of the limits the agents
/// declare, by the same algorithm as <see cref="FlowScripts"/>. What a provider asks for is not kept here.
/// </summary>
internal sealed class LocalFlow(TimeProvider time)
{
    /// <summary>The maximum number of groups whose turns are remembered; forgotten ones start over.</summary>
    private const int MaxGroups = 50_000;

    private const double MinuteMs = 60_000;

    /// <summary>How much unused time is saved up.</summary>
    private const double SavedMs = 500;

    /// <summary>The wait before asking again while all places are taken.</summary>
    private static readonly TimeSpan WhileFull = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly Dictionary<string, HashSet<string>> calls = [];
    private readonly Dictionary<string, Turns> turns = [];

    public bool IsIdle
    {
        get
        {
            lock (gate)
                return calls.Count == 0;
        }
    }

    /// <summary>A call that Redis let through.</summary>
    public void Started(string group, string id)
    {
        lock (gate)
            Add(group, id);
    }

    public void Left(string group, string id)
    {
        lock (gate)
        {
            if (calls.TryGetValue(group, out var running) && running.Remove(id) && running.Count == 0)
                calls.Remove(group);
        }
    }

    /// <summary>The running calls by group.</summary>
    public IReadOnlyList<(string Group, string[] Ids)> Running()
    {
        lock (gate)
            return [.. calls.Select(running => (running.Key, running.Value.ToArray()))];
    }

    /// <summary>Those of these calls that have ended.</summary>
    public IReadOnlyList<string> Ended(string group, string[] ids)
    {
        lock (gate)
            return [.. ids.Where(id => calls.GetValueOrDefault(group)?.Contains(id) != true)];
    }

    /// <summary>Requests to start a call within 1/<paramref name="instances"/> of the declared limits.</summary>
    /// <param name="hasTurn">Whether its turn was already assigned.</param>
    /// <param name="longest">No turn is assigned beyond this wait.</param>
    /// <returns>The wait, zero if the call has started, and whether its turn is kept during the wait.</returns>
    public (TimeSpan Wait, bool Kept) Enter(
        string group, string id, AgentSettings settings, long tokens, bool hasTurn, TimeSpan longest, int instances)
    {
        lock (gate)
        {
            if (settings.MaxConcurrency is { } most
                && calls.GetValueOrDefault(group)?.Count >= Math.Max(1, most / instances))
            {
                return (WhileFull, hasTurn);
            }

            var wait = hasTurn ? 0 : TakeTurn(group, settings, tokens, longest.TotalMilliseconds, instances);
            if (wait > 1)
                return (TimeSpan.FromMilliseconds(Math.Ceiling(wait)), wait <= longest.TotalMilliseconds);
            Add(group, id);
            return (TimeSpan.Zero, true);
        }
    }

    /// <summary>Corrects an estimate by what the provider counted.</summary>
    public void Correct(string group, int tokensPerMinute, long tokensMore, int instances)
    {
        lock (gate)
        {
            if (tokensPerMinute > 0 && turns.TryGetValue(group, out var next))
                turns[group] = next with { Token = next.Token + (MinuteMs * instances * tokensMore / tokensPerMinute) };
        }
    }

    /// <returns>The wait in ms.</returns>
    private double TakeTurn(string group, AgentSettings settings, long tokens, double longest, int instances)
    {
        var (requests, tokenRate) = (settings.RequestsPerMinute, settings.TokensPerMinute);
        if (requests is null && tokenRate is null)
            return 0;
        var now = time.GetTimestamp() * 1000.0 / time.TimestampFrequency;
        var next = turns.GetValueOrDefault(group);
        var (request, token) = (Math.Max(next.Request, now - SavedMs), Math.Max(next.Token, now - SavedMs));
        var wait = Math.Max(requests is null ? 0 : request - now, tokenRate is null ? 0 : token - now);
        if (wait > longest)
            return wait;
        if (turns.Count >= MaxGroups)
            turns.Clear();
        turns[group] = new Turns(
            request + (MinuteMs * instances / requests ?? 0),
            token + (MinuteMs * instances * tokens / tokenRate ?? 0));
        return wait;
    }

    private void Add(string group, string id)
    {
        if (!calls.TryGetValue(group, out var running))
            calls[group] = running = [];
        running.Add(id);
    }

    /// <summary>When the next request and the next token may go, in ms of the process's clock.</summary>
    private readonly record struct Turns(double Request, double Token);
}
