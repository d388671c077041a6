using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.SignIn;

namespace ViralEngine.Functions.Console;

/// <summary>Starts a session for a credential.</summary>
internal sealed class SessionStart(SessionCookie sessions, SessionStore store, Authenticator authenticator)
{
    /// <returns>The page to continue to, or an error.</returns>
    public async Task<(string? Address, string? Fault)> BeginAsync(
        HttpContext http, ProviderTokens tokens, string back, CancellationToken ct)
    {
        var (outcome, tenant) = await AuthenticateAsync(tokens.Credential, ct);
        switch (outcome)
        {
            case Authenticator.Outcome.Known({ Role: Role.Platform }):
                return (null, "The platform key belongs to no organization. Sign in with an organization's key.");
            case Authenticator.Outcome.Known(var caller):
                sessions.Begin(http, tokens, tenant, caller.Sessions);
                return (back, null);
            case Authenticator.Outcome.NotForTenant:
                sessions.Begin(http, tokens, null, 0);
                return ("/console/invitations", null);
            case Authenticator.Outcome.Unknown(var fault):
                return (null, fault);
            default:
                return (null, "This credential belongs to no organization.");
        }
    }

    /// <summary>A person with several organizations starts in the first.</summary>
    private async Task<(Authenticator.Outcome Outcome, Guid? Tenant)> AuthenticateAsync(
        string credential, CancellationToken ct)
    {
        var outcome = await authenticator.AuthenticateAsync(credential, null, ct);
        if (outcome is not Authenticator.Outcome.TenantMissing)
            return (outcome, outcome is Authenticator.Outcome.Known(var caller) ? caller.Tenant.Value : null);
        var (subject, _) = await authenticator.PersonOfAsync(credential);
        if (await store.OrganizationsOfAsync(subject!, ct) is not [var first, ..])
            return (outcome, null);
        return (await authenticator.AuthenticateAsync(credential, first.OrganizationId, ct), first.OrganizationId);
    }
}
