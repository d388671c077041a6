using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// Something speaks when the thing that measures stops, when money or room runs out, and when keys end.
/// </summary>
internal static class AlertRule
{
    private static readonly string[] Questions =
    [
        "heartbeat", "daily-cap", "http-5xx", "failures", "task-failures", "queue-age"
    ];

    private static readonly string[] Measures =
        ["postgres-cpu", "postgres-storage", "postgres-down", "postgres-connections", "storage-availability"];

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var breach in Missing(deployment, "Microsoft.Insights/scheduledQueryRules", Questions))
            yield return breach;
        foreach (var breach in Missing(deployment, "Microsoft.Insights/metricAlerts", Measures))
            yield return breach;

        var heartbeat = deployment.OfType("Microsoft.Insights/scheduledQueryRules")
            .SingleOrDefault(alert => alert.Id().EndsWith("-heartbeat", StringComparison.Ordinal));
        // A count over rows that are not there still is one row; without it silence would find nothing.
        if (heartbeat?.ToJsonString().Contains(
            "summarize beats = count() | where beats == 0", StringComparison.Ordinal) != true)
            yield return "the heartbeat says nothing when there is nothing";

        // Only what a question says that it looks back on counts.
        foreach (var alert in deployment.OfType("Microsoft.Insights/scheduledQueryRules"))
            if ((alert.Text("properties/overrideQueryTimeRange") is not null) != (alert == heartbeat))
                yield return $"{Name(alert)} looks back on another time than it says";
        // Measured on average, a failover of a minute would be an outage for a quarter of an hour.
        var down = deployment.OfType("Microsoft.Insights/metricAlerts").SingleOrDefault(
            alert => Name(alert) == "postgres-down");
        if (down?.Text("properties/windowSize") != "PT5M"
            || !down.ToJsonString().Contains("\"Maximum\"", StringComparison.Ordinal))
            yield return "PostgreSQL is said to be down when it was up";

        var budget = deployment.OfType("Microsoft.Consumption/budgets").SingleOrDefault();
        if (budget?.Text("properties/notifications/spent/contactGroups") is not { Length: > 2 })
            yield return "nobody hears of what is spent";

        var ending = deployment.OfType("Microsoft.EventGrid/systemTopics/eventSubscriptions").SingleOrDefault();
        if (ending?.ToJsonString().Contains("Microsoft.KeyVault.SecretNearExpiry", StringComparison.Ordinal) != true)
            yield return "nobody hears of keys that end";
        foreach (var secret in deployment.OfType("Microsoft.KeyVault/vaults/secrets"))
            if (secret.Text("properties/attributes/exp") is null)
                yield return $"{secret.Id()} never ends, so nobody is reminded";
    }

    private static IEnumerable<string> Missing(Deployment deployment, string type, IEnumerable<string> names) =>
        names.Except(deployment.OfType(type).Select(Name)).Select(name => $"there is no alert {name}");

    // viral-<environment>-<token>-<name>
    private static string Name(JsonObject alert) => alert.Text("name")!.Split('-', 4)[^1];
}
