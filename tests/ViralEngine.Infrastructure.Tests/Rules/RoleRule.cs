using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// Every role is given once, on one deployed resource, to the identity of the app, and for something that the app's
/// settings show it to do there. The package has an identity of its own: what runs cannot change what will run.
/// </summary>
internal static class RoleRule
{
    private const string Packages = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

    private const string PackagePrincipal = ".outputs.package.value.principalId]";

    private const string AppPrincipal = ".outputs.app.value.principalId]";

    // What a role is for: a setting of the app that leads to the resource the role is on.
    private static readonly Dictionary<string, (string Type, string Setting)> Uses = new()
    {
        ["b7e6dc6d-f1e8-4753-8033-0f276bb0955b"] = ("storageAccounts", "AzureWebJobsStorage__accountName"),
        ["974c5e8b-45b9-4653-ba55-5f855dd0fb88"] = ("storageAccounts", "AzureWebJobsStorage__accountName"),
        ["0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"] = ("storageAccounts", "AzureWebJobsStorage__accountName"),
        ["4633458b-17de-408a-b874-0445c86b69e6"] = ("vaults", "Auth__PlatformKey"),
        ["3913510d-42f4-4e42-8a64-420c390055eb"] = ("components", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"),
        [Packages] = ("storageAccounts", "AzureWebJobsStorage__accountName"),
        ["0ad04412-c4d5-4796-b79c-f76d14c8d402"] = ("schedulers", "DURABLE_TASK_SCHEDULER_CONNECTION_STRING"),
    };

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        var settings = deployment.OfType("Microsoft.Web/sites/config").Single()["properties"]!.AsObject();
        var ids = deployment.Resources.Select(resource => resource.Id()).ToHashSet();
        var seen = new HashSet<(string Scope, string Role, string Principal)>();

        foreach (var assignment in deployment.OfType("Microsoft.Authorization/roleAssignments"))
        {
            var scope = assignment.Id().Split("/providers/Microsoft.Authorization/")[0];
            var role = assignment.Text("properties/roleDefinitionId")!.Split('/')[^1];
            var principal = assignment.Text("properties/principalId")!;

            if (!ids.Contains(scope))
                yield return $"a role is given on {scope}, which is not deployed";
            if (!seen.Add((scope, role, principal)))
                yield return $"role {role} is given twice on {scope}";
            if (!principal.EndsWith(role == Packages ? PackagePrincipal : AppPrincipal, StringComparison.Ordinal))
                yield return $"role {role} is given to {principal}, which is not whom it is for";
            if (scope.Contains("/stpkg", StringComparison.Ordinal) != (role == Packages))
                yield return $"role {role} is given on {scope}: packages and the app's own storage are apart";
            if (!Uses.TryGetValue(role, out var use))
                yield return $"role {role} is not known to this rule: say what it is for";
            else if (!scope.Contains($"/{use.Type}/", StringComparison.Ordinal) || !settings.ContainsKey(use.Setting))
                yield return $"role {role} on {scope} is not used: the app has no {use.Setting}";
        }

        foreach (var (role, use) in Uses.Where(use => settings.ContainsKey(use.Value.Setting)))
            if (!seen.Any(given => given.Role == role))
                yield return $"the app has {use.Setting} and lacks role {role}";
    }

    /// <summary>The list of built-in roles in the template holds none that nothing uses.</summary>
    public static IEnumerable<string> UnknownRoles(Deployment deployment) =>
        deployment.Template.Objects()
            .Select(o => o["roleIds"]).OfType<JsonObject>()
            .SelectMany(list => list)
            .Where(role => !Uses.ContainsKey(role.Value!.ToString()))
            .Select(role => $"{role.Key} is listed and used by nobody");
}
