namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>Whatever can report to the workspace does; a type that is new here must be told apart first.</summary>
internal static class DiagnosticsRule
{
    private static readonly HashSet<string> Reporting =
    [
        "Microsoft.Cache/redisEnterprise",
        "Microsoft.Cache/redisEnterprise/databases",
        "Microsoft.Cdn/profiles",
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.DurableTask/schedulers",
        "Microsoft.EventGrid/systemTopics",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Network/networkSecurityGroups",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/virtualNetworks",
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/queueServices",
        "Microsoft.Storage/storageAccounts/tableServices",
        "Microsoft.Web/serverfarms",
        "Microsoft.Web/sites",
    ];

    // These have no diagnostic settings of their own, or (components) write to the workspace already.
    private static readonly HashSet<string> Silent =
    [
        "Microsoft.Authorization/locks",
        "Microsoft.Authorization/policyAssignments",
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments",
        "Microsoft.Cdn/profiles/afdEndpoints",
        "Microsoft.Cdn/profiles/afdEndpoints/routes",
        "Microsoft.Cdn/profiles/originGroups",
        "Microsoft.Cdn/profiles/originGroups/origins",
        "Microsoft.Cdn/profiles/securityPolicies",
        "Microsoft.Consumption/budgets",
        "Microsoft.DBforPostgreSQL/flexibleServers/administrators",
        "Microsoft.DBforPostgreSQL/flexibleServers/configurations",
        "Microsoft.DurableTask/schedulers/taskHubs",
        "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        "Microsoft.Insights/actionGroups",
        "Microsoft.Insights/components",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.Insights/metricAlerts",
        "Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/webtests",
        "Microsoft.KeyVault/vaults/secrets",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies",
        "Microsoft.Network/natGateways",
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "Microsoft.Resources/resourceGroups",
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
        "Microsoft.Web/sites/config",
    ];

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        var reported = deployment.OfType("Microsoft.Insights/diagnosticSettings")
            .Where(setting => setting.Text("properties/workspaceId") is not null)
            .Select(setting => setting.Id().Split("/providers/Microsoft.Insights/diagnosticSettings/")[0])
            .ToHashSet();

        foreach (var resource in deployment.Resources)
        {
            if (Reporting.Contains(resource.Type()) && !reported.Contains(resource.Id()))
                yield return $"{resource.Id()} has no diagnostic settings";
            else if (!Reporting.Contains(resource.Type()) && !Silent.Contains(resource.Type()))
                yield return $"{resource.Type()}: say in this rule whether it can have diagnostic settings";
        }
    }
}
