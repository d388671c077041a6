using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>Lets only those pass whom the endpoint's <see cref="AllowAttribute"/> names, and tells the endpoint who it is.</summary>
internal sealed class AuthenticationMiddleware(EndpointCatalog endpoints) : IFunctionsWorkerMiddleware
{
    private const string Scheme = "Bearer ";

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (endpoints.Find(context.FunctionDefinition.Name)?.Allowed is not { } allowed)
        {
            await next(context);
            return;
        }

        var http = context.GetHttpContext()!;
        var caller = await AuthenticateAsync(context, http);
        if ((caller.Role & allowed) == 0)
        {
            throw new ProblemException(Problem.Forbidden(
                $"The role {caller.Role.ToText()} may not call this; {Names(allowed)} may."));
        }

        http.SetCaller(caller);
        await next(context);
    }

    private static async Task<Caller> AuthenticateAsync(FunctionContext context, HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            throw new ProblemException(Problem.Unauthorized("Send an API key or a token as Authorization: Bearer ….") with
            {
                Headers = new Dictionary<string, string> { ["WWW-Authenticate"] = "Bearer realm=\"viral-engine\"" },
            });
        }

        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            throw new ProblemException(Problem.Unauthorized("Only the scheme Bearer is known."));

        var authenticator = context.InstanceServices.GetRequiredService<Authenticator>();
        var outcome = await authenticator.AuthenticateAsync(
            header[Scheme.Length..].Trim(), TenantAsked(http), context.CancellationToken);
        return outcome switch
        {
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
            : throw new ProblemException(Problem.Validation("X-Tenant-ID", "Must be the id of an organization, a UUID."));
    }

    private static string Names(Role roles) => string.Join(
        ", ", Enum.GetValues<Role>().Where(role => role != Role.None && roles.HasFlag(role)).Select(role => role.ToText()));
}

internal static class CallerOfRequest
{
    private static readonly object Key = new();

    public static void SetCaller(this HttpContext http, Caller caller) => http.Items[Key] = caller;

    /// <summary>Who calls; only on endpoints that are not public.</summary>
    public static Caller Caller(this HttpRequest request) =>
        request.HttpContext.FindCaller() ?? throw new InvalidOperationException("The endpoint is public: it has no caller.");

    public static Caller? FindCaller(this HttpContext http) => http.Items.TryGetValue(Key, out var caller) ? (Caller)caller! : null;
}
