namespace ViralEngine.LocalHost.Durable;

/// <summary>What an execution begins with; it does not change until the execution ends.</summary>
internal sealed record OrchestrationStart(
    string InstanceId,
    Guid ExecutionId,
    string Name,
    string? Version,
    string? Input,
    ParentCall? Parent,
    string? TraceParent);

/// <summary>The call in another orchestration that this one answers.</summary>
internal sealed record ParentCall(string InstanceId, Guid ExecutionId, string Name, int TaskId);
