using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.LocalRuntime.Hosting;

internal sealed class LocalInvocationResult : InvocationResult
{
    public override object? Value { get; set; }
}
