using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>
/// Rechecks the callers of long responses from time to time: keys are revoked, memberships end, roles change,
/// organizations are deleted, tokens expire.
/// </summary>
internal sealed class CallerCheck(Authenticator authenticator, IOptions<EdgeOptions> options, TimeProvider time)
{
    private static readonly object Key = new();

    /// <summary>Stores the credential and the roles required, for later checks.</summary>
    public static void Note(HttpContext http, Shown shown) => http.Items[Key] = shown;

    public CheckedCaller Of(HttpContext http) => new(
        http.FindCaller() ?? throw new InvalidOperationException("The endpoint is public: it has no caller."),
        (Shown)http.Items[Key]!,
        authenticator,
        TimeSpan.FromSeconds(options.Value.CallerCheckSeconds),
        time);

    /// <param name="Sessions">The session number; the session is over when the caller's differs.</param>
    internal sealed record Shown(string Credential, Guid? TenantAsked, Role Allowed, int? Sessions = null);
}

/// <summary>A caller, as authenticated at the start of the request.</summary>
internal sealed class CheckedCaller(
    Caller caller, CallerCheck.Shown shown, Authenticator authenticator, TimeSpan interval, TimeProvider time)
{
    private long looked = time.GetTimestamp();

    /// <summary>The time until the next check.</summary>
    public TimeSpan DueIn =>
        interval - time.GetElapsedTime(looked) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Whether the caller is still authenticated and allowed; looked up at most once per interval.</summary>
    public async Task<bool> IsStillAllowedAsync(CancellationToken ct)
    {
        if (DueIn > TimeSpan.Zero)
            return true;
        looked = time.GetTimestamp();
        return await authenticator.AuthenticateAsync(
            shown.Credential, shown.TenantAsked, ct) is Authenticator.Outcome.Known(var now)
            && now.Principal == caller.Principal && now.Tenant == caller.Tenant && (now.Role & shown.Allowed) != 0
            && (shown.Sessions is not { } begun || begun == now.Sessions);
    }
}
