using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// The database is made after the administrators, by one of them, with a role as its owner; the server's parameters
/// come first, since it takes one change at a time; and the firewall has no rule that stays.
/// </summary>
internal static class DatabaseRule
{
    public const string Server = "Microsoft.DBforPostgreSQL/flexibleServers";

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var database in deployment.OfType($"{Server}/databases"))
            yield return $"{database.Id()} would belong to the platform";
        foreach (var rule in deployment.OfType($"{Server}/firewallRules"))
            yield return $"{rule.Id()} lets somebody in for good";

        var declared = deployment.Template.Objects()
            .Where(o => o["type"] is JsonValue type && type.ToString().StartsWith(Server, StringComparison.Ordinal))
            .ToList();
        var administrators = declared.Where(o => o.Type() == $"{Server}/administrators").ToList();
        if (administrators.Count != 2)
            yield return "there are two administrators: the migration identity, and a person";
        if (!administrators.Any(o => DependsOn(o, "parameters")))
            yield return "the first administrator does not wait for the server's parameters";
        if (!administrators.Any(o => DependsOn(o, "administrator")))
            yield return "the second administrator does not wait for the first";
        if (!declared.Any(o => o.Type() == $"{Server}/configurations" && o["copy"]?["batchSize"]?.ToString() == "1"))
            yield return "the server's parameters are not set one after the other";
    }

    private static bool DependsOn(JsonObject resource, string name) =>
        resource["dependsOn"] is JsonArray names && names.Any(n => n!.ToString() == name);
}
