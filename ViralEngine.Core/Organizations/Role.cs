namespace ViralEngine.Core.Organizations;

/// <summary>
/// What a member or API key may do in its organization. Flags, so that an endpoint can allow a set; in ascending order,
/// so that roles compare.
/// </summary>
[Flags]
public enum Role
{
    None = 0,
    Viewer = 1,
    Approver = 2,
    Operator = 4,
    Admin = 8,
    Owner = 16,
    /// <summary>The platform key: above tenants, acting in none.</summary>
    Platform = 32,
}

public static class Roles
{
    /// <summary>May read: every role of a tenant.</summary>
    public const Role Readers = Role.Viewer | Role.Approver | Role.Operator | Role.Admin | Role.Owner;

    /// <summary>May submit, cancel and retry work.</summary>
    public const Role Operators = Role.Operator | Role.Admin | Role.Owner;

    /// <summary>May decide at gates where they are approvers.</summary>
    public const Role Deciders = Role.Approver | Role.Operator | Role.Admin | Role.Owner;

    /// <summary>May change settings, members, keys, agents and webhooks.</summary>
    public const Role Admins = Role.Admin | Role.Owner;

    public static string ToText(this Role role) => role switch
    {
        Role.Viewer => "viewer",
        Role.Approver => "approver",
        Role.Operator => "operator",
        Role.Admin => "admin",
        Role.Owner => "owner",
        Role.Platform => "platform",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "Not one role."),
    };

    /// <summary>Reads one of <c>owner</c>, <c>admin</c>, <c>operator</c>, <c>approver</c>, <c>viewer</c>.</summary>
    public static bool TryParse(string? text, out Role role)
    {
        role = text switch
        {
            "viewer" => Role.Viewer,
            "approver" => Role.Approver,
            "operator" => Role.Operator,
            "admin" => Role.Admin,
            "owner" => Role.Owner,
            _ => Role.None,
        };
        return role != Role.None;
    }
}
