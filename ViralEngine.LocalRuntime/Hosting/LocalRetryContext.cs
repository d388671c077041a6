using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>There are no host-level retries here: each invocation is the first.</summary>
internal sealed class LocalRetryContext : RetryContext
{
    public static readonly LocalRetryContext Never = new();

    public override int RetryCount => 0;

    public override int MaxRetryCount => 0;
}
