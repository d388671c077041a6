using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>What outlives a session and is shared by its parts.</summary>
internal sealed record EngineServices(
    IDurableCode Code,
    DataConverter Converter,
    ILoggerFactory Loggers,
    TimeProvider Clock,
    WorkerStore Workers,
    ClaimStore Claims,
    StepStore Steps,
    ActivityStore Activities,
    MessageWriter Messages,
    Wakeups Wakeups,
    Completions Completions);
