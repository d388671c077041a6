namespace ViralEngine.LocalRuntime.Tests.Conformance;

/// <summary>The lists of what the real packages declare: in the folder that <c>VIRAL_FUNCTIONS_API</c> names, or in
/// <c>shared/functions-api</c> beside the repository.</summary>
internal static class RealSurface
{
    /// <exception cref="DirectoryNotFoundException">There are no lists.</exception>
    public static HashSet<string> Read()
    {
        var folder = Find() ?? throw new DirectoryNotFoundException(
            "The lists of the real surface (shared/functions-api beside the repository, or VIRAL_FUNCTIONS_API) are "
            + "not here. Run the tests with --filter Category!=Conformance.");
        return Directory.EnumerateFiles(folder, "*.txt")
            .SelectMany(File.ReadLines)
            .Where(line => !line.StartsWith('#'))
            .Select(SurfaceLines.Normalize)
            .ToHashSet(StringComparer.Ordinal);
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("VIRAL_FUNCTIONS_API") is { Length: > 0 } given)
            return Directory.Exists(given) ? given : null;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "shared", "functions-api");
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
