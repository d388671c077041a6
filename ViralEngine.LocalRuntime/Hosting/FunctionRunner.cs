using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Runs one invocation through the pipeline: its trace, its log scope, and the log of its failure.</summary>
internal sealed partial class FunctionRunner(
    FunctionPipeline pipeline,
    IServiceProvider services,
    DrainToken drain,
    ILogger<FunctionRunner> logger)
{
    private static readonly ActivitySource Source = new("Microsoft.Azure.Functions.Worker");

    private static readonly Func<ILogger, string, string, IDisposable?> Scope =
        LoggerMessage.DefineScope<string, string>(
            "Function {AzureFunctions_FunctionName} {AzureFunctions_InvocationId}");

    public IServiceProvider Services => services;

    /// <summary>Cancelled when a stopping app will wait no longer.</summary>
    public CancellationToken Stopping => drain.Token;

    /// <summary>Runs the function. What it throws is logged, unless that is a cancellation, and thrown on.</summary>
    public async Task RunAsync(LocalFunctionContext context)
    {
        var function = context.Function;
        using var scope = logger.IsEnabled(LogLevel.Critical)
            ? Scope(logger, function.Name, context.InvocationId)
            : null;
        using var activity = Source.StartActivity(function.ActivityName);
        activity?.SetTag("faas.name", function.Name).SetTag("faas.invocation_id", context.InvocationId);
        try
        {
            await pipeline.InvokeAsync(context);
        }
        catch (Exception exception)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            if (IsCancellation(exception, context))
                LogCancelled(logger, function.Name, context.InvocationId);
            else
                LogFailed(logger, exception, function.Name, context.InvocationId);
            throw;
        }
    }

    // A client that leaves while its body is read or its answer is written shows as an I/O failure.
    private bool IsCancellation(Exception exception, LocalFunctionContext context) => exception switch
    {
        OperationCanceledException => context.Aborted.IsCancellationRequested || drain.Token.IsCancellationRequested,
        IOException => context.Request is not null && context.Aborted.IsCancellationRequested,
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Function '{Function}', invocation {InvocationId} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string function, string invocationId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Function '{Function}', invocation {InvocationId} was cancelled")]
    private static partial void LogCancelled(ILogger logger, string function, string invocationId);
}
