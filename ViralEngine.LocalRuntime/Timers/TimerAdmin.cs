using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.LocalRuntime.Http;

namespace ViralEngine.LocalRuntime.Timers;

/// <summary>Runs timers by hand: <c>POST /admin/functions/{name}</c> with the body <c>{"input":null}</c> and the master
/// key. The call answers 202 at once, and the run does not wait for its schedule or for another run.</summary>
internal sealed class TimerAdmin(TimerHost timers, FunctionKey key)
{
    public const string Route = "/admin/functions/{name}";

    public Task AnswerAsync(HttpContext request)
    {
        request.Response.StatusCode = Start(request);
        return Task.CompletedTask;
    }

    private int Start(HttpContext request)
    {
        // Without a master key the call does not exist.
        if (!key.Exists)
            return StatusCodes.Status404NotFound;
        if (!key.Opens(request.Request))
            return StatusCodes.Status401Unauthorized;
        if (timers.Find((string)request.Request.RouteValues["name"]!) is not { } timer)
            return StatusCodes.Status404NotFound;
        _ = timer.TryInvokeAsync(new TimerInfo(), CancellationToken.None);
        return StatusCodes.Status202Accepted;
    }
}
