namespace Microsoft.DurableTask.Client;

/// <param name="Output">The output the instance ends with.</param>
/// <param name="Recursive">Whether sub-orchestrations are terminated as well.</param>
public record TerminateInstanceOptions(object? Output = null, bool Recursive = false);
