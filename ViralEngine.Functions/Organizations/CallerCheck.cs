using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

/// <summary>
/// Looks from time to time whether whoever is being answered for long may still be: a key is revoked, a membership ends, a role
/// changes, an organization is deleted, a token expires.
/// </summary>
internal sealed class CallerCheck(Authenticator authenticator, IOptions<EdgeOptions> options, TimeProvider time)
{
    private static readonly object Key = new();

    /// <summary>Notes what the caller showed, and what was asked of it.</summary>
    public static void Note(HttpContext http, Shown shown) => http.Items[Key] = shown;

    public CheckedCaller Of(HttpContext http) => new(
        http.FindCaller() ?? throw new InvalidOperationException("The endpoint is public: it has no caller."),
        (Shown)http.Items[Key]!,
        authenticator,
        TimeSpan.FromSeconds(options.Value.CallerCheckSeconds),
        time);

    /// <param name="Sessions">Of a session: it is over when the caller's number is another.</param>
    internal sealed record Shown(string Credential, Guid? TenantAsked, Role Allowed, int? Sessions = null);
}

/// <summary>One caller, as it was when it was let in.</summary>
internal sealed class CheckedCaller(
    Caller caller, CallerCheck.Shown shown, Authenticator authenticator, TimeSpan interval, TimeProvider time)
{
    private long looked = time.GetTimestamp();

    /// <summary>Until the next look is due.</summary>
    public TimeSpan DueIn => interval - time.GetElapsedTime(looked) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Whether the caller is still who it was and may still do it; looked up no more often than is set.</summary>
    public async Task<bool> IsStillAllowedAsync(CancellationToken ct)
    {
        if (DueIn > TimeSpan.Zero)
            return true;
        looked = time.GetTimestamp();
        return await authenticator.AuthenticateAsync(shown.Credential, shown.TenantAsked, ct) is Authenticator.Outcome.Known(var now)
            && now.Principal == caller.Principal && now.Tenant == caller.Tenant && (now.Role & shown.Allowed) != 0
            && (shown.Sessions is not { } begun || begun == now.Sessions);
    }
}
