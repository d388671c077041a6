using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Console;
using ViralEngine.Functions.Requests;
using Endpoint = ViralEngine.Functions.Requests.Endpoint;

namespace ViralEngine.Functions.Organizations;

/// <summary>
/// Authenticates the caller, checks the endpoint's <see cref="AllowAttribute"/>, and passes the caller on to the
/// endpoint.
/// </summary>
internal sealed class AuthenticationMiddleware(EndpointCatalog endpoints, SessionCookie sessions)
    : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (endpoints.Find(context.FunctionDefinition.Name) is not { Allowed: { } allowed } endpoint)
        {
            await next(context);
            return;
        }

        var http = context.GetHttpContext()!;
        var caller = await AuthenticateAsync(context, http, Shown(http, endpoint, allowed));
        if ((caller.Role & allowed) == 0)
        {
            throw new ProblemException(Problem.Forbidden(
                $"The role {caller.Role.ToText()} may not call this endpoint. Allowed: {Names(allowed)}."));
        }

        http.SetCaller(caller);
        await next(context);
    }

    /// <summary>
    /// The console session's credential, where sessions are accepted and no header was sent; else the header's. Both
    /// are checked alike.
    /// </summary>
    private CallerCheck.Shown Shown(HttpContext http, Endpoint endpoint, Role allowed)
    {
        if (endpoint.TakesSession && (!endpoint.IsApi || http.Request.Headers.Authorization.Count == 0)
            && sessions.Read(http) is { } session)
        {
            return new CallerCheck.Shown(session.Credential, session.Tenant, allowed, session.Sessions);
        }

        return endpoint.IsApi
            ? new CallerCheck.Shown(BearerToken.Of(http.Request), TenantAsked(http), allowed)
            : throw new ProblemException(Problem.Unauthorized("Sign in first."));
    }

    private static async Task<Caller> AuthenticateAsync(
        FunctionContext context, HttpContext http, CallerCheck.Shown shown)
    {
        var authenticator = context.InstanceServices.GetRequiredService<Authenticator>();
        CallerCheck.Note(http, shown);
        var outcome = await authenticator.AuthenticateAsync(
            shown.Credential, shown.TenantAsked, context.CancellationToken);
        return outcome switch
        {
            Authenticator.Outcome.Known(var caller) when shown.Sessions is { } begun && begun != caller.Sessions =>
                throw new ProblemException(Problem.Unauthorized("You signed out everywhere. Sign in again.")),
            Authenticator.Outcome.Known(var caller) => caller,
            Authenticator.Outcome.NotForTenant(var fault) => throw new ProblemException(Problem.Forbidden(fault)),
            Authenticator.Outcome.TenantMissing(var fault) =>
                throw new ProblemException(Problem.Validation("X-Tenant-ID", fault)),
            Authenticator.Outcome.Unknown(var fault) => throw new ProblemException(Problem.Unauthorized(fault)),
            _ => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
    }

    private static Guid? TenantAsked(HttpContext http)
    {
        var header = http.Request.Headers["X-Tenant-ID"].ToString();
        if (header.Length == 0)
            return null;
        return Guid.TryParseExact(header, "D", out var tenant)
            ? tenant
            : throw new ProblemException(Problem.Validation("X-Tenant-ID", "Must be the UUID of an organization."));
    }

    private static string Names(Role roles) => string.Join(
        ", ",
        Enum.GetValues<Role>().Where(role => role != Role.None && roles.HasFlag(role)).Select(role => role.ToText()));
}

internal static class CallerOfRequest
{
    private static readonly object Key = new();

    public static void SetCaller(this HttpContext http, Caller caller) => http.Items[Key] = caller;

    /// <summary>The caller of an endpoint that is not public.</summary>
    public static Caller Caller(this HttpRequest request) =>
        request.HttpContext.FindCaller()
            ?? throw new InvalidOperationException("The endpoint is public: it has no caller.");

    public static Caller? FindCaller(this HttpContext http) =>
        http.Items.TryGetValue(Key, out var caller) ? (Caller)caller! : null;
}
