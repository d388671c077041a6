using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Hosting;
using ViralEngine.LocalHost.Worker;

namespace ViralEngine.LocalHost.Http;

/// <summary>
/// The worker's HTTP functions as endpoints. As in the Functions host, routes are tried in the alphabetical order of
/// the functions' names, whatever their form.
/// </summary>
internal sealed partial class HttpFunctions(
    WorkerChannel channel,
    Invocations invocations,
    FunctionKey key,
    RequestLimit limit,
    HostJson host,
    ILogger<HttpFunctions> logger)
{
    /// <param name="functions">All functions of the worker.</param>
    /// <param name="worker">The worker's handling of a request, after the invocation was sent.</param>
    public IEnumerable<Endpoint> Endpoints(IEnumerable<WorkerFunction> functions, RequestDelegate worker)
    {
        var ordered = functions.Where(function => function.Has("httpTrigger"))
            .OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var (function, place) in ordered.Select((function, place) => (function, place)))
        {
            var route = (function.Setting("route") ?? function.Name).Trim('/');
            var pattern = RoutePatternFactory.Parse(
                host.RoutePrefix.Length == 0 ? route : $"{host.RoutePrefix}/{route}");
            var open = function.Setting("authLevel")?.Equals("anonymous", StringComparison.OrdinalIgnoreCase) == true;
            var endpoint = new RouteEndpointBuilder(
                request => AnswerAsync(function, open, request, worker), pattern, place)
            {
                DisplayName = function.Name,
            };
            if (Methods(function) is { Length: > 0 } methods) endpoint.Metadata.Add(new HttpMethodMetadata(methods));
            yield return endpoint.Build();
        }
    }

    public static string[] Methods(WorkerFunction function) =>
        function.Trigger.TryGetProperty("methods", out var methods) && methods.ValueKind == JsonValueKind.Array
            ? [.. methods.EnumerateArray().Select(method => method.GetString()!.ToUpperInvariant())]
            : [];

    private async Task AnswerAsync(WorkerFunction function, bool open, HttpContext http, RequestDelegate worker)
    {
        if (!open && !key.Opens(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        using var place = await limit.EnterAsync(http.RequestAborted);
        if (!place.IsAcquired)
        {
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }

        var id = Invocations.NewId();
        http.Request.Headers["x-ms-invocation-id"] = id;
        var answered = channel.Send(invocations.Http(function, id, http));
        http.SetEndpoint(null);
        // The function's own token is cancelled by a message, not by the request.
        await using (channel.CancelWith(id, http.RequestAborted))
        {
            await worker(http);
        }

        if (HttpFailures.Of(http) is { } failure) Fail(function, id, http, failure);
        _ = answered;
    }

    private void Fail(WorkerFunction function, string id, HttpContext http, Exception failure)
    {
        var stopped = channel.IsStopping && failure.GetBaseException() is OperationCanceledException;
        if (stopped || http.RequestAborted.IsCancellationRequested)
            LogCancelled(logger, function.Name, id);
        else
            LogFailed(logger, failure, function.Name, id);
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.Clear();
        http.Response.StatusCode = StatusCodes.Status500InternalServerError;
    }

    [LoggerMessage(LogLevel.Error, "Function '{Function}', invocation {InvocationId} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string function, string invocationId);

    [LoggerMessage(
        LogLevel.Debug,
        "Function '{Function}', invocation {InvocationId} was cancelled: "
        + "the client disconnected, or the app is stopping")]
    private static partial void LogCancelled(ILogger logger, string function, string invocationId);
}
