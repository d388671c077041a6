using Microsoft.DurableTask;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>A durable task that an orchestrator may be awaiting.</summary>
internal abstract class PendingCall(EventKind kind, int id, string name)
{
    /// <summary>The kind of the action that began it; <see cref="EventKind.EventRaised"/> for one that waits.</summary>
    public EventKind Kind => kind;

    public int Id => id;

    public string Name => name;

    /// <summary>Of the sub-orchestration that was called.</summary>
    public string? InstanceId { get; init; }

    public CancellationTokenRegistration Cancellation { get; set; }

    public abstract void Complete(string? json);

    public abstract void Cancel(CancellationToken ct);

    public abstract void Fail(TaskFailureDetails failure);
}

/// <inheritdoc/>
internal sealed class PendingCall<T>(EventKind kind, int id, string name, DataConverter converter)
    : PendingCall(kind, id, name)
{
    // Continuations run at once on the orchestration's own thread: the order of events decides, nothing else.
    private readonly TaskCompletionSource<T> completion = new();

    public Task<T> Task => completion.Task;

    public override void Complete(string? json)
    {
        Cancellation.Unregister();
        T? value;
        try
        {
            value = converter.Deserialize<T>(json);
        }
        catch (Exception exception) when (exception is System.Text.Json.JsonException or NotSupportedException)
        {
            completion.TrySetException(exception);
            return;
        }

        completion.TrySetResult(value!);
    }

    public override void Cancel(CancellationToken ct) => completion.TrySetCanceled(ct);

    public override void Fail(TaskFailureDetails failure) =>
        completion.TrySetException(new TaskFailedException(Name, Id, failure));
}
