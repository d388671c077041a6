namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>Whatever has a location is paid for by somebody: tags say by whom.</summary>
internal static class TagRule
{
    private static readonly string[] Needed = ["application", "environment", "azd-env-name"];

    // Tags may be an expression that only Azure resolves; the names stand in it all the same.
    public static IEnumerable<string> Breaches(Deployment deployment) =>
        from resource in deployment.Resources
        where resource.ContainsKey("location")
        from tag in Needed
        where resource.Text("tags")?.Contains(tag, StringComparison.Ordinal) != true
        select $"{resource.Id()} has no tag {tag}";
}
