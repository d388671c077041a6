namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// The app is told to keep orchestrations where they were deployed to be kept, and whoever builds its package is told
/// the same.
/// </summary>
internal static class OrchestrationRule
{
    private const string Provider = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__";

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
        if (deployment.Template.Text("outputs/VIRAL_DURABLE_STORAGE/value") != "[parameters('durableStorage')]")
            yield return "who builds the package is told of another store than the template was";
    }
}
