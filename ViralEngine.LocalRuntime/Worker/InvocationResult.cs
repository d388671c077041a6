namespace Microsoft.Azure.Functions.Worker;

/// <summary>What a function returned. Middleware may read it and put another value in its place.</summary>
public abstract class InvocationResult : InvocationResult<object>
{
}

/// <inheritdoc cref="InvocationResult"/>
public abstract class InvocationResult<T>
{
    public abstract T? Value { get; set; }
}
