namespace Microsoft.DurableTask;

/// <summary>What a running activity knows about its call.</summary>
public abstract class TaskActivityContext
{
    public abstract TaskName Name { get; }

    /// <summary>The orchestration that called the activity.</summary>
    public abstract string InstanceId { get; }

    public virtual string Version => "";
}
