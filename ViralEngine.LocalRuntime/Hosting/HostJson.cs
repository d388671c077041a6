using Microsoft.Extensions.Configuration;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>What this runtime takes from the host.json beside the binary.</summary>
/// <param name="RoutePrefix">What every route begins with; empty for none.</param>
internal sealed record HostJson(string RoutePrefix)
{
    public static HostJson Read(string folder)
    {
        var settings = new ConfigurationBuilder()
            .SetBasePath(folder)
            .AddJsonFile("host.json", optional: true)
            .Build();
        return new HostJson(settings["extensions:http:routePrefix"]?.Trim('/') ?? "api");
    }
}
