using System.Reflection;

namespace ViralEngine.Testing;

/// <summary>Where this checkout is, and where its programs were built.</summary>
public static class Repository
{
    public static string Root { get; } = Metadata("RepositoryRoot");

    /// <summary>The dll of a program, built in the configuration of the tests; as published, where the build publishes it.</summary>
    /// <param name="project">The project's folder.</param>
    /// <param name="name">The assembly's name; that of the folder when null.</param>
    /// <param name="checkout">Another checkout than this one.</param>
    public static string Program(string project, string? name = null, string? checkout = null)
    {
        name ??= Path.GetFileName(project);
        var output = Path.Combine(checkout ?? Root, project, "bin", Metadata("Configuration"), "net10.0");
        var published = Path.Combine(output, "publish", name + ".dll");
        var built = Path.Combine(output, name + ".dll");
        return File.Exists(published) ? published
            : File.Exists(built) ? built
            : throw new FileNotFoundException($"{name} is not built.", built);
    }

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(pair => pair.Key == key).Value!;
}
