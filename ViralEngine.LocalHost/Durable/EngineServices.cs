using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Durable;

/// <summary>What outlives a session and is shared by its parts.</summary>
internal sealed record EngineServices(
    IDurableCode Code,
    DatabaseClock Clock,
    WorkerStore Workers,
    ClaimStore Claims,
    StepStore Steps,
    ActivityStore Activities,
    MessageWriter Messages,
    Wakeups Wakeups,
    Completions Completions);
