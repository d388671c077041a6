namespace ViralEngine.LocalRuntime.Durable;

/// <summary>
/// The code does not do again what its history says it did. The real runtime's name goes into the failure details.
/// </summary>
internal sealed class NonDeterministicException(string message) : Exception(message)
{
    public const string RealName = "DurableTask.Core.Exceptions.NonDeterministicOrchestrationException";
}
