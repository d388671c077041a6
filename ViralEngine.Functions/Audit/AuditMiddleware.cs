using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Texts;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using Endpoint = ViralEngine.Functions.Requests.Endpoint;

namespace ViralEngine.Functions.Audit;

/// <summary>
/// Runs each <see cref="AuditedAttribute"/> endpoint in one transaction with its audit log entry, so that neither
/// exists without the other. Joins an outer transaction if there is one. Only successes are recorded; rejected requests
/// changed nothing and are in the logs.
/// </summary>
internal sealed class AuditMiddleware : IFunctionsWorkerMiddleware
{
    private const int MaxUserAgentCharacters = 500;
    private readonly Dictionary<string, (Endpoint Endpoint, AuditedAttribute Audited)> audited = [];
    private readonly TenantShares shares;

    public AuditMiddleware(EndpointCatalog endpoints, TenantShares shares)
    {
        this.shares = shares;
        foreach (var endpoint in endpoints.All)
        {
            if (endpoint.Method.GetCustomAttribute<AuditedAttribute>() is { } attribute)
                audited[endpoint.Function] = (endpoint, attribute);
        }
    }

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (!audited.TryGetValue(context.FunctionDefinition.Name, out var what))
        {
            await next(context);
            return;
        }

        var db = context.InstanceServices.GetRequiredService<Db>();
        var begun = !db.InTransaction;
        using var turn = begun && context.GetHttpContext()!.FindCaller() is { } caller
            ? await shares.TakeAsync(caller.Tenant, ShareKind.Transaction, context.CancellationToken)
            : null;
        if (begun)
            await db.BeginAsync(context.CancellationToken);
        try
        {
            await next(context);
            await RecordAsync(context, what.Endpoint, what.Audited);
            if (begun)
                await db.CommitAsync(CancellationToken.None); // a cancelled commit may or may not have happened
        }
        finally
        {
            if (begun && db.InTransaction)
                await db.RollbackAsync();
        }
    }

    private static async Task RecordAsync(FunctionContext context, Endpoint endpoint, AuditedAttribute audited)
    {
        var result = context.GetInvocationResult().Value as IResult;
        if (StatusOf(result) is not ((>= 200 and < 300) or StatusCodes.Status303SeeOther))
            return;

        var http = context.GetHttpContext()!;
        var trail = context.InstanceServices.GetRequiredService<AuditTrail>();
        var answer = (result as IValueHttpResult)?.Value;
        var target = trail.Other?.Target ?? trail.Target ?? TargetOf(http, endpoint, audited, answer);
        var caller = http.FindCaller();
        // The platform has no tenant: its entry goes into the log of the target organization.
        var tenant = trail.Other?.Tenant
            ?? trail.Tenant
            ?? (caller!.Role == Role.Platform ? new TenantId(Guid.Parse(target!)) : caller.Tenant);
        await context.InstanceServices.GetRequiredService<AuditStore>().AddAsync(
            tenant,
            new NewAuditEntry(
                trail.Other?.Actor ?? caller!.Principal,
                caller?.Role.ToText(),
                trail.Other?.Credential ?? CredentialOf(caller!),
                trail.Other is { } other ? other.Subject : caller?.Subject,
                audited.Action,
                audited.TargetKind,
                target,
                context.InstanceServices.GetRequiredService<ClientAddress>().Of(http)?.ToString(),
                UserAgentOf(http),
                RequestIds.Of(http),
                trail.BeforeJson,
                audited.KeepsAnswer ? AuditTrail.Redacted(answer) : null),
            context.CancellationToken);
    }

    private static int? StatusOf(IResult? result) => result switch
    {
        IStatusCodeHttpResult { StatusCode: { } status } => status,
        Problem problem => problem.Status,
        _ => null,
    };

    /// <summary>
    /// The id at the end of the route; if the route ends in a word, the response's id, or else the last id in the
    /// route.
    /// </summary>
    private static string? TargetOf(HttpContext http, Endpoint endpoint, AuditedAttribute audited, object? answer)
    {
        if (audited.Target is null && !endpoint.Route.EndsWith('}') && IdOf(answer) is { } id)
            return id;
        var parameter = audited.Target ?? endpoint.Matcher.Template.Parameters[^1].Name!;
        var values = new RouteValueDictionary();
        return endpoint.Matcher.TryMatch(http.Request.Path, values) ? values[parameter]?.ToString() : null;
    }

    private static string? IdOf(object? answer) => answer?.GetType().GetProperty("Id")?.GetValue(answer)?.ToString();

    private static string CredentialOf(Caller caller) => caller.Kind switch
    {
        CallerKind.ApiKey => "api_key",
        CallerKind.User => "token",
        CallerKind.Platform => "platform_key",
    };

    private static string? UserAgentOf(HttpContext http) =>
        OutsideText.Of(http.Request.Headers.UserAgent.ToString(), MaxUserAgentCharacters) is { Length: > 0 } text
            ? text
            : null;
}
