namespace ViralEngine.Torture.Stack;

/// <summary>Where libfaketime is, of Debian's package <c>faketime</c>.</summary>
internal static class FakeTime
{
    public static string? Library { get; } = Directory.Exists("/usr/lib")
        ? Directory.EnumerateFiles(
            "/usr/lib", "libfaketimeMT.so.1",
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 3 })
            .FirstOrDefault()
        : null;
}
