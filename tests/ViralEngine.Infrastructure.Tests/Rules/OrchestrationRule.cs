namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// The app is told to keep orchestrations where they were deployed to be kept, and whoever builds its package is told
/// the same. An instance runs as many activities as it has calls for, and some short ones beside them.
/// </summary>
internal static class OrchestrationRule
{
    /// <summary>The setting that says how many activities an instance runs at a time.</summary>
    public const string Activities = $"{Durable}maxConcurrentActivityFunctions";

    private const string Durable = "AzureFunctionsJobHost__extensions__durableTask__";
    private const string Provider = $"{Durable}storageProvider__";

    // The calls of an instance, 2,560, are those of ten lanes.
    private const int LanesThatFillAnInstance = 10;

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        var settings = deployment.OfType("Microsoft.Web/sites/config").Single()["properties"]!.AsObject();
        var scheduled = deployment.OfType("Microsoft.DurableTask/schedulers").Any();

        if ((settings[$"{Provider}type"]?.ToString() == "azureManaged") != scheduled)
            yield return scheduled
                ? "the app does not use the scheduler that is there"
                : "the app uses a scheduler that is not there";
        var connection = settings[$"{Provider}connectionStringName"]?.ToString();
        if (connection is null == scheduled || connection is not null && !settings.ContainsKey(connection))
            yield return "the app has no way to the scheduler, or one too many";
        if (!int.TryParse(settings[Activities]?.ToString(), out var places)
            || places is < 2 * LanesThatFillAnInstance or > 4 * LanesThatFillAnInstance)
            yield return "an instance runs too few activities, or so many that others are asked for too late";
        if (deployment.Template.Text("outputs/VIRAL_DURABLE_STORAGE/value") != "[parameters('durableStorage')]")
            yield return "who builds the package is told of another store than the template was";
    }
}
