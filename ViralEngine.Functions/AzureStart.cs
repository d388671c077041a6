using Microsoft.Extensions.Configuration;

namespace ViralEngine.Functions;

/// <summary>Settings that the app refuses to start with on Azure, because it would run and be wrong.</summary>
internal static class AzureStart
{
    // From the package DurableTask.AzureManaged, which only a build for the Durable Task Scheduler has.
    private const string SchedulerExtension =
        "Microsoft.Azure.Functions.Worker.Extensions.DurableTask.AzureManaged.dll";

    private const string StorageType = "AzureFunctionsJobHost:extensions:durableTask:storageProvider:type";

    /// <param name="configuration">Settings; the platform sets <c>WEBSITE_SITE_NAME</c>.</param>
    /// <param name="folder">The folder of the app's files.</param>
    /// <exception cref="InvalidOperationException">Names the wrong setting and the right value.</exception>
    public static void Check(IConfiguration configuration, string folder)
    {
        if (string.IsNullOrEmpty(configuration["WEBSITE_SITE_NAME"]))
            return;

        if (!string.IsNullOrEmpty(configuration["Auth:JwtSharedKey"]))
        {
            throw new InvalidOperationException(
                "Auth:JwtSharedKey is for development only, because its holder can act as anybody. "
                + "Remove it, and set Auth:Authority to accept JWTs.");
        }

        var wanted = string.Equals(configuration[StorageType], "azureManaged", StringComparison.OrdinalIgnoreCase);
        var built = File.Exists(Path.Combine(folder, SchedulerExtension));
        if (wanted != built)
        {
            throw new InvalidOperationException(
                $"The package was built for {Name(built)}, but the settings say {Name(wanted)}. Set "
                + "VIRAL_DURABLE_STORAGE to the one you want, provision, and deploy a package built with it.");
        }
    }

    private static string Name(bool scheduler) => scheduler ? "the Durable Task Scheduler" : "Azure Storage";
}
