using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ViralEngine.LocalHost.Hosting;
using ViralEngine.LocalHost.Timers;
using ViralEngine.LocalHost.Worker;

namespace ViralEngine.LocalHost.Http;

/// <summary>
/// The Functions host's routes below <c>/admin</c> that make sense on one machine. All except the ping require the
/// master key in
/// <c>x-functions-key</c>; without one, they do not exist. The app's middleware does not see them.
/// </summary>
internal sealed class AdminRoutes(HostJson host, FunctionKey key, TimerHost timers, TimeProvider time)
{
    private readonly long began = time.GetTimestamp();

    public void Map(IEndpointRouteBuilder endpoints, IReadOnlyDictionary<string, WorkerFunction> functions)
    {
        endpoints.MapGet("/admin/host/ping", () => Results.Ok());
        endpoints.MapGet("/admin/host/status", request => Guarded(request, () => Results.Json(new
        {
            id = Environment.MachineName,
            state = "Running",
            version = WorkerIdentity.HostVersion,
            processUptime = (long)time.GetElapsedTime(began).TotalMilliseconds,
        })));
        endpoints.MapGet("/admin/functions", request => Guarded(
            request,
            () => Results.Json(functions.Values
                .OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase)
                .Select(Describe))));
        endpoints.MapGet("/admin/functions/{name}", request => Guarded(request, () =>
            Named(request, functions) is { } function ? Results.Json(Describe(function)) : Results.NotFound()));
        endpoints.MapGet("/admin/functions/{name}/status", request => Guarded(request, () =>
            Named(request, functions) is null ? Results.NotFound() : Results.Json(
                new { isRunning = true, errors = Array.Empty<string>() })));
        endpoints.MapPost("/admin/functions/{name}", request => Guarded(request, () => Run(Named(request, functions))));
    }

    // A requested run waits neither for the schedule nor for another run, and its caller does not wait for it.
    private IResult Run(WorkerFunction? function)
    {
        if (function is null) return Results.NotFound();
        if (timers.Find(function.Name) is not { } timer)
            return Results.BadRequest(
                $"Function '{function.Name}' has no timer trigger. "
                + "The local host runs only timer functions on request.");
        _ = timer.TryRunAsync(false, null, CancellationToken.None);
        return Results.Accepted();
    }

    private Task Guarded(HttpContext request, Func<IResult> answer)
    {
        var result = !key.Exists ? Results.NotFound()
            : !key.Opens(request.Request) ? Results.Unauthorized()
            : answer();
        return result.ExecuteAsync(request);
    }

    private object Describe(WorkerFunction function) => new
    {
        name = function.Name,
        language = "dotnet-isolated",
        isDisabled = false,
        isDirect = function.Has("httpTrigger"),
        invoke_url_template = function.Has("httpTrigger")
            ? "/" + string.Join(
                '/',
                new[] { host.RoutePrefix, function.Setting("route") ?? function.Name }.Where(part => part.Length > 0))
            : null,
        config = new { bindings = function.Metadata.RawBindings.Select(text => JsonDocument.Parse(text).RootElement) },
    };

    private static WorkerFunction? Named(HttpContext request, IReadOnlyDictionary<string, WorkerFunction> functions) =>
        functions.GetValueOrDefault((string)request.Request.RouteValues["name"]!);
}
