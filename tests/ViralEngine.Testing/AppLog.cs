using System.Text.RegularExpressions;

namespace ViralEngine.Testing;

/// <summary>
/// What an app under test logs as Error or Critical: a failed orchestration, an exception nobody expected. A test that
/// does not say that it expects it fails, whatever it asserts itself; what tells that a test took the database away, or
/// hung up, is no fault.
/// </summary>
public sealed partial class AppLog(IReadOnlyList<string> expected)
{
    private const int LongestEntry = 40;
    private readonly List<List<string>> entries = [];
    private bool inEntry;

    /// <summary>Takes the next line of the output, as the console logger of .NET writes them.</summary>
    public void Add(string? line)
    {
        lock (entries)
        {
            if (line is null)
                return;
            if (Beginning().IsMatch(line))
            {
                entries.Add([line]);
                inEntry = true;
            }
            else if (inEntry && line.StartsWith("      ", StringComparison.Ordinal))
            {
                if (entries[^1].Count < LongestEntry)
                    entries[^1].Add(line.Trim());
            }
            else
            {
                inEntry = false;
            }
        }
    }

    /// <summary>The entries that no test expects.</summary>
    public IReadOnlyList<string> Faults()
    {
        lock (entries)
        {
            return
            [
                .. entries.Select(entry => string.Join('\n', entry))
                    .Where(entry => !DatabaseAway().IsMatch(entry) && !ClientGone().IsMatch(entry) && !expected.Any(
                        pattern => Regex.IsMatch(entry, pattern))),
            ];
        }
    }

    /// <summary>The worker's own words for a client that did not wait for its answer.</summary>
    [GeneratedRegex(@"FunctionsApplication\[\d+\]\n(.|\n)*(OperationCanceledException|TaskCanceledException)")]
    private static partial Regex ClientGone();

    [GeneratedRegex("^([0-9:.]+ )?(fail|crit): ")]
    private static partial Regex Beginning();

    [GeneratedRegex(
        "database cannot be reached|3D000|57P0[123]|58P0|08P01|Exception while (reading|writing)|Failed to connect to"
        + "|The connection pool has been exhausted|End of stream|Connection (refused|reset)|is starting up"
        + "|is shutting down|terminating connection|Broken pipe|ObjectDisposed")]
    private static partial Regex DatabaseAway();
}
