namespace Microsoft.Azure.Functions.Worker;

/// <summary>Access to what an invocation takes in and gives back.</summary>
public static class FunctionContextBindingFeatureExtensions
{
    /// <summary>The invocation's result. Its value is null until the function has returned.</summary>
    /// <exception cref="InvalidOperationException">The context has no such feature.</exception>
    public static InvocationResult GetInvocationResult(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<InvocationResult>()
            ?? throw new InvalidOperationException("This function context does not carry an invocation result.");
    }
}
