namespace ViralEngine.Core.Organizations;

/// <summary>What a member or API key may do in its organization. A flag each, so that an endpoint can name the set it allows.</summary>
[Flags]
public enum Role
{
    None = 0,
    Viewer = 1,
    Approver = 2,
    Operator = 4,
    Admin = 8,
    Owner = 16,
    /// <summary>Holds the platform key: stands above tenants, acts in none.</summary>
    Platform = 32,
}

public static class Roles
{
    /// <summary>Who may read: every role of the tenant.</summary>
    public const Role Readers = Role.Viewer | Role.Approver | Role.Operator | Role.Admin | Role.Owner;

    /// <summary>Who may submit, cancel and retry work.</summary>
    public const Role Operators = Role.Operator | Role.Admin | Role.Owner;

    /// <summary>Who may decide at a gate that names them.</summary>
    public const Role Deciders = Role.Approver | Role.Operator | Role.Admin | Role.Owner;

    /// <summary>Who may change settings, people, keys, agents and webhooks.</summary>
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
