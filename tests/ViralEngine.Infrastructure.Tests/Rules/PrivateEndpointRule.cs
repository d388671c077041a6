namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// What has a private endpoint is not reached from the public network. PostgreSQL may have a public name where its
/// firewall lets nobody in, which <see cref="DatabaseRule"/> looks after.
/// </summary>
internal static class PrivateEndpointRule
{
    // A connection names its target by an expression that only Azure resolves; its group tells the type all the same.
    private static readonly Dictionary<string, (string Type, string Switch)> Targets = new()
    {
        ["blob"] = ("Microsoft.Storage/storageAccounts", "properties/publicNetworkAccess"),
        ["queue"] = ("Microsoft.Storage/storageAccounts", "properties/publicNetworkAccess"),
        ["table"] = ("Microsoft.Storage/storageAccounts", "properties/publicNetworkAccess"),
        ["vault"] = ("Microsoft.KeyVault/vaults", "properties/publicNetworkAccess"),
        ["postgresqlServer"] = ("Microsoft.DBforPostgreSQL/flexibleServers", "properties/network/publicNetworkAccess"),
        ["redisEnterprise"] = ("Microsoft.Cache/redisEnterprise", "properties/publicNetworkAccess"),
        ["scheduler"] = ("Microsoft.DurableTask/schedulers", "properties/publicNetworkAccess"),
    };

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var group in Groups(deployment))
        {
            if (!Targets.TryGetValue(group, out var target))
            {
                yield return $"a private endpoint reaches '{group}', which this rule does not know";
                continue;
            }
            if (!deployment.OfType(target.Type).Any())
                yield return $"a private endpoint reaches '{group}', and there is no {target.Type}";
            foreach (var resource in deployment.OfType(target.Type))
            {
                if (target.Type != DatabaseRule.Server && resource.Text(target.Switch) != "Disabled")
                    yield return $"{resource.Id()} has a private endpoint and public network access";
                if (resource.Text("properties/networkAcls/defaultAction") is not (null or "Deny"))
                    yield return $"{resource.Id()} has a private endpoint and lets other networks in";
            }
        }
    }

    private static IEnumerable<string> Groups(Deployment deployment) =>
        deployment.OfType("Microsoft.Network/privateEndpoints")
            .SelectMany(endpoint => endpoint["properties"]!["privateLinkServiceConnections"]!.AsArray())
            .SelectMany(connection => connection!["properties"]!["groupIds"]!.AsArray())
            .Select(group => group!.GetValue<string>());
}
