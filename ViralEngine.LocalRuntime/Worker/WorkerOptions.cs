namespace Microsoft.Azure.Functions.Worker;

/// <summary>What the worker tells the host of itself. Here there is no host, and nobody reads it.</summary>
public class WorkerOptions
{
    public IDictionary<string, string> Capabilities { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}
