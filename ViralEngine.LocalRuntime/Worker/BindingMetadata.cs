namespace Microsoft.Azure.Functions.Worker;

/// <summary>A binding of a function. <see cref="Type"/> is <c>httpTrigger</c>, <c>timerTrigger</c>, ….</summary>
public abstract class BindingMetadata
{
    public abstract string Name { get; }

    public abstract string Type { get; }

    public abstract BindingDirection Direction { get; }
}
