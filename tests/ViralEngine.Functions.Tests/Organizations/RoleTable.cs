namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>
/// Who may call what, written down by hand: nothing here is taken from the app. A new route is let in here first, after
/// somebody has thought about who is to call it.
/// </summary>
/// <remarks>V viewer, A approver, O operator, M admin, W owner, P the platform's key; <c>public</c>: everybody;
/// <c>person</c>: whoever has a token of his own, of whatever organization.</remarks>
internal static class RoleTable
{
    private const string Text =
        """
        VAOMW- GET    agents
        ---MW- POST   agents
        ---MW- DELETE agents/{id}
        VAOMW- GET    agents/{id}
        ---MW- PATCH  agents/{id}
        ---MW- PUT    agents/{id}
        --OMW- POST   agents/{id}/test
        VAOMW- GET    agents/{id}/flow
        VAOMW- GET    alert-rules
        ---MW- POST   alert-rules
        VAOMW- POST   alert-rules/preview
        ---MW- DELETE alert-rules/{id}
        VAOMW- GET    alert-rules/{id}
        ---MW- PUT    alert-rules/{id}
        VAOMW- GET    alerts
        VAOMW- GET    alerts/{id}
        --OMW- POST   alerts/{id}/acknowledge
        --OMW- POST   alerts/{id}/mute
        --OMW- POST   alerts/{id}/resolve
        -AOMW- GET    approvals
        public GET    approvals/links/{token}
        public POST   approvals/links/{token}
        ---MW- GET    audit-log
        VAOMW- GET    batches
        --OMW- POST   batches
        VAOMW- GET    batches/{id}
        --OMW- POST   batches/{id}/cancel
        VAOMW- GET    batches/{id}/results
        --OMW- POST   batches/{id}/retry-failed
        VAOMW- GET    batches/{id}/stream
        public GET    docs
        public GET    health
        public GET    health/ready
        person GET    invitations
        person POST   invitations/{id}/accept
        person POST   invitations/{id}/decline
        VAOMW- GET    metrics
        VAOMW- GET    metrics/summary
        public GET    openapi.json
        VAOMWP GET    organizations
        -----P POST   organizations
        ----WP DELETE organizations/{id}
        VAOMWP GET    organizations/{id}
        ---MWP PATCH  organizations/{id}
        ---MW- GET    organizations/{id}/api-keys
        ---MWP POST   organizations/{id}/api-keys
        ---MW- DELETE organizations/{id}/api-keys/{keyId}
        ---MW- GET    organizations/{id}/api-keys/{keyId}
        VAOMW- GET    organizations/{id}/budget
        ---MW- PUT    organizations/{id}/budget
        VAOMW- GET    organizations/{id}/members
        ---MW- POST   organizations/{id}/members
        ---MW- DELETE organizations/{id}/members/{memberId}
        VAOMW- GET    organizations/{id}/members/{memberId}
        ---MW- PATCH  organizations/{id}/members/{memberId}
        VAOMW- GET    tasks
        --OMW- POST   tasks
        VAOMW- GET    tasks/{id}
        --OMW- POST   tasks/{id}/cancel
        VAOMW- GET    tasks/{id}/history
        VAOMW- GET    tasks/{id}/result
        --OMW- POST   tasks/{id}/retry
        VAOMW- GET    tasks/{id}/stream
        VAOMW- GET    tasks/{id}/stream-response
        --OMW- GET    webhooks
        ---MW- POST   webhooks
        ---MW- DELETE webhooks/{id}
        --OMW- GET    webhooks/{id}
        ---MW- PATCH  webhooks/{id}
        --OMW- GET    webhooks/{id}/deliveries
        --OMW- GET    webhooks/{id}/deliveries/{deliveryId}
        --OMW- POST   webhooks/{id}/deliveries/{deliveryId}/redeliver
        --OMW- POST   webhooks/{id}/recover
        ---MW- POST   webhooks/{id}/rotate-secret
        --OMW- POST   webhooks/{id}/test
        VAOMW- GET    workflow-templates
        --OMW- POST   workflow-templates
        VAOMW- GET    workflow-templates/public
        --OMW- DELETE workflow-templates/{id}
        VAOMW- GET    workflow-templates/{id}
        --OMW- PUT    workflow-templates/{id}
        VAOMW- GET    workflow-templates/{id}/versions
        --OMW- POST   workflow-templates/{id}/workflows
        VAOMW- GET    workflows
        --OMW- POST   workflows
        --OMW- POST   workflows/from-template/{id}
        VAOMW- GET    workflows/{id}
        --OMW- POST   workflows/{id}/cancel
        VAOMW- GET    workflows/{id}/gates/{gateId}
        -AOMW- POST   workflows/{id}/gates/{gateId}/decisions
        -AOMW- POST   workflows/{id}/gates/{gateId}/links
        --OMW- POST   workflows/{id}/retry-from-step/{stepId}
        VAOMW- GET    workflows/{id}/stream
        VAOMW- GET    workflows/{id}/visualize
        """;

    private static readonly Dictionary<char, string> Roles = new()
    {
        ['V'] = "viewer",
        ['A'] = "approver",
        ['O'] = "operator",
        ['M'] = "admin",
        ['W'] = "owner",
        ['P'] = "platform",
    };

    /// <summary>The names of the roles that may make a call; null: everybody, without a credential too.</summary>
    public static IReadOnlyDictionary<(
        string Method, string Route), IReadOnlySet<string>?> Rows
    { get; } = Text.Split('\n')
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .ToDictionary(
            words => (words[1], words[2]),
            words => words[0] is "public" or "person"
                ? null
                : (IReadOnlySet<string>)words[0].Where(Roles.ContainsKey).Select(letter => Roles[letter]).ToHashSet());

    public static IEnumerable<string> All => Roles.Values;
}
