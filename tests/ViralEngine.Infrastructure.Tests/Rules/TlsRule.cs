namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>TLS 1.2 or later wherever it can be chosen, and nothing in the clear.</summary>
internal static class TlsRule
{
    private static readonly (string Type, string Switch, string[] Good)[] Switches =
    [
        ("Microsoft.Storage/storageAccounts", "properties/minimumTlsVersion", ["TLS1_2", "TLS1_3"]),
        ("Microsoft.Storage/storageAccounts", "properties/supportsHttpsTrafficOnly", ["true"]),
        ("Microsoft.Cache/redisEnterprise", "properties/minimumTlsVersion", ["1.2", "1.3"]),
        ("Microsoft.Cache/redisEnterprise/databases", "properties/clientProtocol", ["Encrypted"]),
        ("Microsoft.Web/sites", "properties/httpsOnly", ["true"]),
        ("Microsoft.Web/sites", "properties/siteConfig/minTlsVersion", ["1.2", "1.3"]),
        ("Microsoft.Web/sites", "properties/siteConfig/scmMinTlsVersion", ["1.2", "1.3"]),
    ];

    private static readonly (string Parameter, string[] Good)[] PostgresParameters =
    [
        ("require_secure_transport", ["on"]),
        ("ssl_min_protocol_version", ["TLSv1.2", "TLSv1.3"]),
    ];

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var (type, path, good) in Switches)
        {
            var resources = deployment.OfType(type).ToList();
            // The smallest size has no Redis.
            if (resources.Count == 0 && !type.StartsWith("Microsoft.Cache/", StringComparison.Ordinal))
                yield return $"there is no {type}";
            foreach (var resource in resources.Where(resource => !good.Contains(resource.Text(path))))
                yield return $"{resource.Id()}: {path} is none of {string.Join(", ", good)}";
        }

        var settings = deployment.OfType("Microsoft.Web/sites/config").Single()["properties"]!.AsObject();
        if (settings.Text("ConnectionStrings__Postgres")?.Contains(
            "SSL Mode=VerifyFull", StringComparison.Ordinal) != true)
            yield return "the app's token for PostgreSQL goes to whoever answers";
        if (settings.Text("ConnectionStrings__Redis")?.Contains("ssl=true", StringComparison.Ordinal) == false)
            yield return "the app's token for Redis goes in the clear";

        foreach (var (parameter, good) in PostgresParameters)
        {
            var value = deployment.OfType("Microsoft.DBforPostgreSQL/flexibleServers/configurations")
                .SingleOrDefault(resource => resource.Id().EndsWith($"/{parameter}", StringComparison.Ordinal))
                ?.Text("properties/value");
            if (!good.Contains(value))
                yield return $"PostgreSQL: {parameter} is none of {string.Join(", ", good)}";
        }
    }
}
