namespace ViralEngine.LocalRuntime.Durable;

/// <summary>Keeps orchestrations in memory after their lease has been given back, those used last.</summary>
internal sealed class InstanceCache(int capacity)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<LiveInstance>> byId = new(StringComparer.Ordinal);
    private readonly LinkedList<LiveInstance> byUse = new();

    public void Put(LiveInstance instance)
    {
        if (capacity == 0) return;
        lock (gate)
        {
            if (byId.Remove(instance.Id, out var old)) byUse.Remove(old);
            byId[instance.Id] = byUse.AddLast(instance);
            if (byId.Count <= capacity) return;
            byId.Remove(byUse.First!.Value.Id);
            byUse.RemoveFirst();
        }
    }

    /// <summary>Takes the instance out, if it stands where the store says that it stands.</summary>
    public LiveInstance? Take(ClaimedInstance claimed)
    {
        lock (gate)
        {
            if (!byId.Remove(claimed.Start.InstanceId, out var node)) return null;
            byUse.Remove(node);
            return node.Value.Start.ExecutionId == claimed.Start.ExecutionId && node.Value.Seq == claimed.Seq
                ? node.Value
                : null;
        }
    }
}
