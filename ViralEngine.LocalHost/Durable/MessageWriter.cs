using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Sends messages of concurrent callers together.</summary>
internal sealed class MessageWriter(MessageStore store, Wakeups wakeups)
{
    private readonly GroupRunner<Message, bool> messages = new(_ => null, store.SendAsync);

    /// <returns>Whether there was an instance to receive it.</returns>
    public async Task<bool> SendAsync(string instanceId, StoredEvent? message)
    {
        var reached = await messages.RunAsync(new(instanceId, message));
        if (reached) wakeups.WorkLeft();
        return reached;
    }
}
