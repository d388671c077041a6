using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Organizations;

internal sealed record CreateOrganizationRequest
{
    [Required, StringLength(200, MinimumLength = 1)]
    public string Name { get; init; } = "";

    [AllowedValues("free", "team", "enterprise", ErrorMessage = "Must be one of free, team, enterprise.")]
    [Description(
        "Sets the organization's limits. "
        + "The enterprise plan has none unless the settings of the installation define them.")]
    public string Plan { get; init; } = "enterprise";
}

internal sealed record UpdateOrganizationRequest
{
    [StringLength(200, MinimumLength = 1), NeverNull]
    public string? Name { get; init; }

    [AllowedValues("free", "team", "enterprise", ErrorMessage = "Must be one of free, team, enterprise."), NeverNull]
    [Description("Only the platform key may change it.")]
    public string? Plan { get; init; }
}

internal sealed record AddMemberRequest
{
    [Required, StringLength(255, MinimumLength = 1)]
    [Description("The sub claim of the person's tokens.")]
    public string Subject { get; init; } = "";

    [StringLength(320), EmailAddress(ErrorMessage = "Must be an e-mail address.")]
    public string? Email { get; init; }

    [StringLength(200)]
    public string? Name { get; init; }

    [Required, TenantRole]
    public string Role { get; init; } = "";
}

internal sealed record ChangeMemberRequest
{
    [Required, TenantRole]
    public string Role { get; init; } = "";
}

internal sealed record CreateApiKeyRequest
{
    [Required, StringLength(100, MinimumLength = 1)]
    public string Name { get; init; } = "";

    [Required, TenantRole]
    public string Role { get; init; } = "";

    [Description("When the key expires.")]
    public DateTime? ExpiresAt { get; init; }
}

/// <summary>One of the five roles of a tenant.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TenantRoleAttribute() : ValidationAttribute($"Must be one of {string.Join(", ", Words)}.")
{
    public static readonly string[] Words = ["owner", "admin", "operator", "approver", "viewer"];

    public override bool IsValid(object? value) => value is null || Words.Contains(value);

}

internal sealed record ListQuery : PageQuery;

internal sealed record RevokeApiKeyQuery
{
    [Description("Also revoke the keys that were created with this one, and with those.")]
    public bool WithKeysItMade { get; init; }
}

/// <summary>
/// The keys that were revoked as well: keys the member created, or keys created with the revoked key.
/// </summary>
internal sealed record RevokedKeys(IReadOnlyList<ApiKey> RevokedApiKeys);

/// <param name="ApiKey">The organization's first key, with the role owner. Shown only in this response.</param>
internal sealed record CreatedOrganization(
    Guid Id, string Name, string Plan, DateTime CreatedAt, DateTime UpdatedAt, CreatedApiKey ApiKey);

/// <summary>An organization with its plan's limits and its usage.</summary>
internal sealed record OrganizationDetails(
    Guid Id, string Name, string Plan, DateTime CreatedAt, DateTime UpdatedAt, PlanResource Limits, Usage Usage);

/// <summary>The limits of a plan; null for no limit.</summary>
internal sealed record PlanResource(int? RequestsPerSecond, long? TasksPerMonth, int? ConcurrentTasks, int? Members)
{
    public static PlanResource Of(PlanLimits plan) => new(
        plan.RequestsPerSecond is 0 ? null : plan.RequestsPerSecond,
        plan.TasksPerMonth is 0 ? null : plan.TasksPerMonth,
        plan.ConcurrentTasks is 0 ? null : plan.ConcurrentTasks,
        plan.Members is 0 ? null : plan.Members);
}

/// <param name="Key">The secret. Shown only in this response.</param>
internal sealed record CreatedApiKey(Guid Id, string Name, string Role, string Hint, string Key, DateTime? ExpiresAt);

internal sealed record OrganizationPage(IReadOnlyList<Organization> Organizations, string? NextCursor);

internal sealed record MemberPage(IReadOnlyList<Member> Members, string? NextCursor);

internal sealed record ApiKeyPage(IReadOnlyList<ApiKey> ApiKeys, string? NextCursor);
