namespace Microsoft.DurableTask.Abstractions;

/// <summary>Compares versions as numbers where both are, else as text. None is less than any.</summary>
public static class TaskOrchestrationVersioningUtils
{
    public static int CompareVersions(string sourceVersion, string otherVersion)
    {
        if (string.IsNullOrWhiteSpace(sourceVersion) && string.IsNullOrWhiteSpace(otherVersion)) return 0;
        if (string.IsNullOrWhiteSpace(sourceVersion)) return -1;
        if (string.IsNullOrWhiteSpace(otherVersion)) return 1;
        return System.Version.TryParse(sourceVersion, out var source)
            && System.Version.TryParse(otherVersion, out var other)
            ? source.CompareTo(other)
            : string.Compare(sourceVersion, otherVersion, StringComparison.OrdinalIgnoreCase);
    }
}
