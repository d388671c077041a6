using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalHost.Durable;

/// <summary>The engine's log messages.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(LogLevel.Information, "The orchestration engine has started as worker {WorkerId}.")]
    public static partial void Began(ILogger logger, long workerId);

    [LoggerMessage(LogLevel.Warning, "Worker {WorkerId} has lost its leases; other instances take over its work.")]
    public static partial void LostLeases(ILogger logger, long workerId);

    [LoggerMessage(LogLevel.Warning, "Took over {Count} orchestration instances and activities of a stopped process.")]
    public static partial void TookOver(ILogger logger, int count);

    [LoggerMessage(LogLevel.Warning, "A step of orchestration {InstanceId} was dropped: its lease was lost.")]
    public static partial void Refused(ILogger logger, string instanceId);

    [LoggerMessage(LogLevel.Warning, "The orchestration store does not respond; trying again.")]
    public static partial void StoreAway(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "The orchestration engine failed with an unexpected error; trying again.")]
    public static partial void Stumbled(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "Orchestration {Name} ({InstanceId}) failed: {Failure}")]
    public static partial void Failed(ILogger logger, string name, string instanceId, string failure);

    [LoggerMessage(LogLevel.Error, "A step of orchestration {InstanceId} cannot be stored; the orchestration fails.")]
    public static partial void CannotStore(ILogger logger, Exception exception, string instanceId);

    [LoggerMessage(
        LogLevel.Information, "PostgreSQL notifications do not arrive; polling the orchestration store instead.")]
    public static partial void Polling(ILogger logger);
}
