using System.Globalization;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// An API version reaches the regions over months, and its faults are found in the first of them. It only gets older,
/// so what keeps this rule once keeps it for ever.
/// </summary>
internal static class ApiVersionRule
{
    // Stable versions of this type know no category groups.
    private const string DiagnosticSettings = "Microsoft.Insights/diagnosticSettings";

    public static IEnumerable<string> Breaches(Deployment deployment, DateOnly today) =>
        from resource in deployment.Resources
        let version = resource.Text("apiVersion")!
        where resource.Type() != DiagnosticSettings
        where version.Length > 10 || Age(version, today) < 183
        select $"{resource.Type()}@{version} is a preview, or younger than half a year";

    private static int Age(string version, DateOnly today) =>
        today.DayNumber - DateOnly.ParseExact(version, "yyyy-MM-dd", CultureInfo.InvariantCulture).DayNumber;
}
