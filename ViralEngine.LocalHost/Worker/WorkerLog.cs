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
        // A function that was asked to stop has not failed, even if the worker logs an error; nor has one whose client left so early that
        // the request never reached it.
        if (wasCancelled && level == LogLevel.Error && IsCancellation(line.Exception)) level = LogLevel.Debug;
        var logger = byCategory.GetOrAdd(line.Category is { Length: > 0 } category ? category : "Worker", loggers.CreateLogger);
        if (!logger.IsEnabled(level)) return;
        var text = line.Exception is { } exception
            ? $"{line.Message}{Environment.NewLine}{exception.Type}: {exception.Message}{Environment.NewLine}{exception.StackTrace}"
            : line.Message;
        logger.Log(level, default, text, null, static (message, _) => message);
    }

    private static bool IsCancellation(RpcException? exception) => exception is not null
        && (Names(exception.Type) || Names(exception.Message) || Names(exception.StackTrace));

    private static bool Names(string? text) => text is not null
        && (text.Contains("OperationCanceledException", StringComparison.Ordinal)
            || text.Contains("TaskCanceledException", StringComparison.Ordinal)
            || text.Contains("Timed out waiting for the function start call", StringComparison.Ordinal));
}
