using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Storage;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// The outermost middleware: gives each request an id, and turns exceptions into problems. The only place that catches
/// everything.
/// </summary>
internal sealed partial class EdgeMiddleware(IOptions<EdgeOptions> options, ILogger<EdgeMiddleware> logger)
    : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        var requestId = RequestIds.Assign(http);
        Activity.Current?.SetTag("viral.request.id", requestId);
        using var scope = logger.BeginScope(new KeyValuePair<string, object>[] { new("RequestId", requestId) });
        context.InstanceServices.GetRequiredService<Db>().StatementTimeout =
            TimeSpan.FromSeconds(options.Value.StatementTimeoutSeconds);
        try
        {
            await next(context);
            await context.AnswerAsync();
        }
        catch (Exception e)
            when (e is OperationCanceledException or IOException && http.RequestAborted.IsCancellationRequested)
        {
            // The client has disconnected; there is nobody to respond to.
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The instance is stopping, or the client has disconnected, which the function may notice before the
            // request does.
            await AnswerAsync(context, http, new Problem(
                503, "unavailable", "The instance is stopping.", "Try again: another instance will respond.")
            { RetryAfter = 1 });
        }
        catch (ProblemException e)
        {
            await AnswerAsync(context, http, e.Problem);
        }
        catch (PlanLimitException e)
        {
            await AnswerAsync(context, http, new Problem(
                429, "plan-limit", "Plan limit reached.", $"The organization's plan allows {e.Most:N0} ({e.Limit}).")
            {
                RetryAfter = (int)Math.Ceiling(e.RetryAfter.TotalSeconds),
            });
        }
        catch (BadHttpRequestException e)
        {
            await AnswerAsync(
                context, http, new Problem(e.StatusCode, "bad-request", "The request cannot be read.", e.Message));
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            LogGivenUp(logger, context.FunctionDefinition.Name, options.Value.StatementTimeoutSeconds);
            await AnswerAsync(context, http, new Problem(
                503, "took-too-long", "The database took too long to respond.",
                $"A statement timed out after {options.Value.StatementTimeoutSeconds:0.###} s. "
                + "Simplify the request: use fewer filters or a shorter time range.")
            {
                RetryAfter = 5,
            });
        }
        catch (Exception e) when (DatabaseAway.Explains(e))
        {
            LogDatabaseAway(logger, context.FunctionDefinition.Name, e.Message);
            await AnswerAsync(context, http, new Problem(
                503, "unavailable", "The database cannot be reached.",
                "Try again. With the same Idempotency-Key nothing is done twice.")
            {
                RetryAfter = 1,
            });
        }
        catch (Exception e)
        {
            LogFailed(logger, e, context.FunctionDefinition.Name);
            await AnswerAsync(context, http, new Problem(
                500, "internal", "Internal error.", "It is logged under the request id. Try again."));
        }
    }

    private static async Task AnswerAsync(FunctionContext context, HttpContext http, Problem problem)
    {
        // A response that has started cannot become a problem: cut it, so that the client notices that it is
        // incomplete.
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        context.GetInvocationResult().Value = null;
        await problem.ExecuteAsync(http);
    }

    [LoggerMessage(1, LogLevel.Error, "{Function} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string function);

    [LoggerMessage(3, LogLevel.Warning, "{Function} timed out: a statement took longer than {Seconds} s")]
    private static partial void LogGivenUp(ILogger logger, string function, double seconds);

    [LoggerMessage(2, LogLevel.Error, "{Function} failed because the database cannot be reached: {Reason}")]
    private static partial void LogDatabaseAway(ILogger logger, string function, string reason);
}
