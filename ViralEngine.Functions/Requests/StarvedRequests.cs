using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ViralEngine.Functions.Requests;

/// <summary>
/// Answers requests that do not reach their function within the worker's five seconds, because the instance has no
/// processor time left for them. Nothing of them has run, and nothing will.
/// </summary>
internal sealed partial class StarvedRequests(ILogger<StarvedRequests> logger) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(AnswerAsync);
        next(app);
    };

    private async Task AnswerAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (TimeoutException e) when (!http.Response.HasStarted)
        {
            LogStarved(logger, http.Request.Method, http.Request.Path, e.Message);
            RequestIds.Assign(http);
            var overloaded = new Problem(
                503, "unavailable", "The instance is overloaded.",
                "The request was not started. Try again: another instance may respond.")
            {
                RetryAfter = 1,
            };
            await overloaded.ExecuteAsync(http);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Method} {Path} was not started: {Reason}")]
    private static partial void LogStarved(ILogger logger, string method, string path, string reason);
}
