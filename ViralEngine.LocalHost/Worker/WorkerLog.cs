using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Worker.Protocol;

namespace ViralEngine.LocalHost.Worker;

/// <summary>Writes the worker's log lines, which are sent to the host.</summary>
internal sealed class WorkerLog(ILoggerFactory loggers)
{
    private readonly ConcurrentDictionary<string, ILogger> byCategory = new(StringComparer.Ordinal);

    /// <param name="line">What it logged.</param>
    /// <param name="wasCancelled">Whether the invocation that it is about has been cancelled by this host.</param>
    public void Write(RpcLog line, bool wasCancelled)
    {
        // The protocol counts trace, debug, information, warning, error, critical and none as LogLevel does.
        var level = (LogLevel)line.Level;
        // A function that was asked to stop has not failed, even if the worker logs an error.
        if (wasCancelled && level == LogLevel.Error && IsCancellation(line.Exception)) level = LogLevel.Debug;
        // Nor has one that its request never reached: the client left too early, or was answered by then.
        if (level == LogLevel.Error && Contains(line.Exception, "Timed out waiting for the function start call"))
            level = LogLevel.Debug;
        var logger = byCategory.GetOrAdd(
            line.Category is { Length: > 0 } category ? category : "Worker", loggers.CreateLogger);
        if (!logger.IsEnabled(level)) return;
        var text = line.Exception is { } exception
            ? $"{line.Message}{Environment.NewLine}{exception.Type}: {exception.Message}"
                + $"{Environment.NewLine}{exception.StackTrace}"
            : line.Message;
        logger.Log(level, default, text, null, static (message, _) => message);
    }

    private static bool IsCancellation(RpcException? exception) =>
        Contains(exception, nameof(OperationCanceledException)) || Contains(exception, nameof(TaskCanceledException));

    private static bool Contains(RpcException? exception, string text) => exception is not null
        && ((string?[])[exception.Type, exception.Message, exception.StackTrace])
            .Any(part => part?.Contains(text, StringComparison.Ordinal) == true);
}
