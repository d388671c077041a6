using System.Text.Json.Nodes;

namespace ViralEngine.Infrastructure.Tests.Rules;

/// <summary>
/// Flex Consumption refuses what it does not know with error 51021 and the whole deployment with it: among others
/// ftpsState, alwaysOn, use32BitWorkerProcess, netFrameworkVersion. The list is of what it is known to take.
/// </summary>
internal static class FlexRule
{
    private static readonly HashSet<string> Taken =
    [
        "minTlsVersion",
        "scmMinTlsVersion",
        "http20Enabled",
        "ipSecurityRestrictions",
        "ipSecurityRestrictionsDefaultAction",
        "scmIpSecurityRestrictionsDefaultAction",
        "scmIpSecurityRestrictionsUseMain",
    ];

    // These are part of the plan, or of functionAppConfig.
    private static readonly string[] SettingsOfOtherPlans =
    [
        "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTSHARE",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
        "WEBSITE_VNET_ROUTE_ALL", "SCM_DO_BUILD_DURING_DEPLOYMENT", "ENABLE_ORYX_BUILD",
    ];

    public static IEnumerable<string> Breaches(Deployment deployment)
    {
        foreach (var site in deployment.OfType("Microsoft.Web/sites"))
        {
            foreach (var (name, _) in site["properties"]!["siteConfig"]!.AsObject())
                if (!Taken.Contains(name))
                    yield return $"siteConfig.{name} is not known to be taken by Flex Consumption";
            if (site.Text("properties/functionAppConfig/siteUpdateStrategy/type") != "RollingUpdate")
                yield return "an update ends by force whatever runs";
        }

        foreach (var policy in deployment.OfType("Microsoft.Web/sites/basicPublishingCredentialsPolicies"))
            if (policy.Id().EndsWith("/ftp", StringComparison.Ordinal))
                yield return "Flex Consumption has no FTP, and no policy for it";

        var settings = deployment.OfType("Microsoft.Web/sites/config").Single()["properties"] as JsonObject;
        foreach (var setting in SettingsOfOtherPlans.Where(name => settings!.ContainsKey(name)))
            yield return $"{setting} belongs to other plans";
    }
}
