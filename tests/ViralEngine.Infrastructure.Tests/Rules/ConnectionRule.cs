using System.Globalization;
using System.Text.RegularExpressions;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>All instances together, each with its pool full, stay below what PostgreSQL or PgBouncer takes.</summary>
internal static partial class ConnectionRule
{
    // Of 50 that a B1ms has, 15 are the platform's; PgBouncer takes 5,000 clients.
    private static readonly Dictionary<string, int> Limits = new() { ["Standard_B1ms"] = 35 };

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        var size = deployment.OfType(DatabaseRule.Server).Single().Text("sku/name")!;
        var limit = Limits.GetValueOrDefault(size, 5000);
        var instances = Number(deployment.OfType("Microsoft.Web/sites").Single()
            .Text("properties/functionAppConfig/scaleAndConcurrency/maximumInstanceCount")!);
        var settings = deployment.OfType("Microsoft.Web/sites/config").Single().Text(
            "properties/ConnectionStrings__Postgres")!;
        var pool = Number(PoolSize().Match(settings).Groups[1].Value);

        if (instances * pool > limit)
            yield return $"{instances} instances with {pool} connections each are more than the {limit} of {size}";
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex("Maximum Pool Size=([0-9]+)")]
    private static partial Regex PoolSize();
}
