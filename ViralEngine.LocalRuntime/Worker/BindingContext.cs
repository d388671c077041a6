namespace Microsoft.Azure.Functions.Worker;

/// <summary>The values an invocation came with, by name: route and query values for HTTP.</summary>
public abstract class BindingContext
{
    public abstract IReadOnlyDictionary<string, object?> BindingData { get; }
}
