using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>Nobody gets in by a key or a password that several hold: whoever comes has an identity.</summary>
internal static class SharedKeyRule
{
    // Per type, the switch that turns keys or passwords off, and the position that does.
    private static readonly (string Type, string Switch, string Off)[] Switches =
    [
        ("Microsoft.Storage/storageAccounts", "properties/allowSharedKeyAccess", "false"),
        ("Microsoft.Storage/storageAccounts", "properties/allowBlobPublicAccess", "false"),
        ("Microsoft.DBforPostgreSQL/flexibleServers", "properties/authConfig/passwordAuth", "Disabled"),
        ("Microsoft.Cache/redisEnterprise/databases", "properties/accessKeysAuthentication", "Disabled"),
        ("Microsoft.KeyVault/vaults", "properties/enableRbacAuthorization", "true"),
        ("Microsoft.Insights/components", "properties/DisableLocalAuth", "true"),
        ("Microsoft.OperationalInsights/workspaces", "properties/features/disableLocalAuth", "true"),
        ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties/allow", "false"),
    ];

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var (type, path, off) in Switches)
        {
            var resources = deployment.OfType(type).ToList();
            // The smallest size has no Redis.
            if (resources.Count == 0 && !type.StartsWith("Microsoft.Cache/", StringComparison.Ordinal))
                yield return $"there is no {type}, so nothing says that its keys are off";
            foreach (var resource in resources.Where(resource => resource.Text(path) != off))
                yield return $"{resource.Id()}: {path} is not {off}";
        }

        foreach (var call in Keys(deployment.Template))
            yield return $"the template asks for keys: {call}";
        foreach (var resource in deployment.Resources.Where(
            r => r.ToJsonString().Contains("AccountKey=", StringComparison.Ordinal)))
            yield return $"{resource.Id()} holds an account key";
    }

    private static IEnumerable<string> Keys(JsonObject template) =>
        template.Objects().SelectMany(o => o).Select(member => member.Value).OfType<JsonValue>()
            .Select(value => value.ToString())
            .Where(text => text.StartsWith('[')
                && (text.Contains("listKeys(", StringComparison.OrdinalIgnoreCase)
                    || text.Contains("listAccountSas(", StringComparison.OrdinalIgnoreCase)));
}
