using System.Reflection;

namespace ViralEngine.Testing;

/// <summary>Where this checkout is, and where its programs were built.</summary>
public static class Repository
{
    public static string Root { get; } = Metadata("RepositoryRoot");

    /// <summary>
    /// The dll of a program, built in the configuration of the tests; as published, where a build publishes.
    /// </summary>
    /// <param name="project">The project's folder.</param>
    /// <param name="name">The assembly's name; that of the folder when null.</param>
    /// <param name="checkout">Another checkout than this one.</param>
    public static string Program(string project, string? name = null, string? checkout = null)
    {
        name ??= Path.GetFileName(project);
        var (root, configuration) = (checkout ?? Root, Metadata("Configuration"));
        var output = Path.Combine(root, project, "bin", configuration, "net10.0");
        // As ReadyToRun.props does, which an older version does not have.
        if (configuration == "Release" && project is "ViralEngine.Functions" or "ViralEngine.LocalHost"
            && File.Exists(Path.Combine(root, "ReadyToRun.props")))
        {
            output = Path.Combine(output, "publish");
        }

        var path = Path.Combine(output, name + ".dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{name} is not built.", path);
    }

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(
            pair => pair.Key == key).Value!;
}
