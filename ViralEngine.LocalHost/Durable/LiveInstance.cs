namespace ViralEngine.LocalHost.Durable;

/// <summary>An instance that this process has leased, or keeps in memory for the next time it does.</summary>
internal sealed class LiveInstance(OrchestrationStart start)
{
    public Lock Gate { get; } = new();

    public OrchestrationStart Start { get; set; } = start;

    public string Id => Start.InstanceId;

    /// <summary>Steps stored of this execution.</summary>
    public int Seq { get; set; }

    /// <summary>Times it has been claimed; tells a claim from the one before.</summary>
    public int ClaimNo { get; set; }

    public bool IsPending { get; set; }

    public bool IsSuspended { get; set; }

    /// <summary>What has been stored of this execution; null until it has been read.</summary>
    public List<StoredEvent>? History { get; set; }

    /// <summary>Whether it is between its claim and its commit: nobody else looks at its inbox then.</summary>
    public bool Busy { get; set; }

    /// <summary>Whether its inbox has to be read again.</summary>
    public bool Dirty { get; set; }

    /// <summary>Activities of this execution that run in this process and answer in memory.</summary>
    public int LocalActivities { get; set; }

    /// <summary>
    /// Whether a commit that gives the lease back is under way. Activities claimed meanwhile answer through the store.
    /// </summary>
    public bool Releasing { get; set; }

    public List<Arrival> Arrived { get; private set; } = [];

    public List<Arrival> TakeArrived()
    {
        var taken = Arrived;
        Arrived = [];
        return taken;
    }
}

/// <summary>Something that has arrived for an instance.</summary>
/// <param name="Event">What.</param>
/// <param name="ExecutionId">For which execution; null for whichever runs.</param>
/// <param name="MessageId">Its row in the inbox; null when it came in memory, from an activity of this process.</param>
internal sealed record Arrival(StoredEvent Event, Guid? ExecutionId, long? MessageId);
