using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.SignIn;
using ViralEngine.Functions.Idempotency;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Common to all pages: security headers, problems as pages, renewal of sessions in use, and rejection of other sites'
/// forms.
/// </summary>
internal sealed class ConsoleMiddleware(EndpointCatalog endpoints, SessionCookie sessions, PublicAddress address)
    : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (endpoints.Find(context.FunctionDefinition.Name) is not { IsApi: false } endpoint)
        {
            await next(context);
            return;
        }

        var http = context.GetHttpContext()!;
        ConsoleHeaders.Set(http.Response);
        http.Features.Set<IProblemPage>(new ConsoleProblem(context.InstanceServices));

        if (HttpMethods.IsPost(http.Request.Method))
        {
            if (!IsOurs(http.Request))
                throw new ProblemException(Problem.Forbidden("The form was sent from another site."));
            // A form that is sent twice, by a double click or after "back", takes effect once.
            if (http.Request.Query["once"].ToString() is { Length: > 0 } once)
                http.Request.Headers[IdempotencyKey.Header] = once;
        }

        if (endpoint.NeedsSession && sessions.DueRefreshToken(http) is { } token)
            await RefreshAsync(context, http, token);
        sessions.Renew(http);
        await next(context);
    }

    private async Task RefreshAsync(FunctionContext context, HttpContext http, string token)
    {
        switch (await context.InstanceServices.GetRequiredService<SessionRefresh>().RunAsync(
            token, context.CancellationToken))
        {
            case SessionRefresh.Outcome.Refreshed(var tokens):
                sessions.Refresh(http, tokens);
                break;
            case SessionRefresh.Outcome.Ended:
                sessions.End(http);
                break;
        }
    }

    /// <summary>Browsers report a form's origin in one of two headers.</summary>
    private bool IsOurs(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0)
            return site == "same-origin";
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || origin == address.Of(request);
    }
}
