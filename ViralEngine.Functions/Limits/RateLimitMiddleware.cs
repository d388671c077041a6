using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using ViralEngine.Core.Limits;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Limits;

/// <summary>
/// Enforces request rates, and tells every caller what is left: <c>RateLimit</c> and <c>RateLimit-Policy</c> after
/// draft-ietf-httpapi-ratelimit-headers, as structured fields. The platform is not limited.
/// </summary>
internal sealed class RateLimitMiddleware(RateLimiter limiter) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        if (http.FindCaller() is { Plan: { } plan } caller
            && await limiter.TakeAsync(caller.Tenant, caller.Principal, plan) is { } decision)
        {
            http.Response.Headers["RateLimit-Policy"] = string.Join(", ", decision.Limits.Select(limit => string.Create(
                CultureInfo.InvariantCulture, $"\"{limit.Name}\";q={limit.Quota};w={RateLimiter.WindowSeconds}")));
            http.Response.Headers["RateLimit"] = string.Join(", ", decision.Limits.Select(limit => string.Create(
                CultureInfo.InvariantCulture, $"\"{limit.Name}\";r={limit.Remaining};t={limit.ResetSeconds}")));
            if (!decision.Allowed)
                throw new ProblemException(TooMany(decision, plan));
        }

        await next(context);
    }

    private static Problem TooMany(RateDecision decision, string plan)
    {
        var refusing = decision.Limits.MaxBy(limit => limit.RetrySeconds)!;
        var who = refusing.Name == "tenant" ? "Your organization" : "This caller";
        return new Problem(
            429, "rate-limited", "Too many requests.",
            $"{who} may make {refusing.Quota:N0} requests in {RateLimiter.WindowSeconds} seconds on the plan '{plan}'.")
        {
            RetryAfter = Math.Max(1, refusing.RetrySeconds),
        };
    }
}
