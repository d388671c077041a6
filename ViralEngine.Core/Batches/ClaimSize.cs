namespace ViralEngine.Core.Batches;

/// <summary>
/// How many items a lane claims for each of its places, which run them one after the other: about a tenth of a second
/// of work. That is one item of a slow agent, or hundreds of a quick one to save round trips.
/// </summary>
internal static class ClaimSize
{
    public const int MaxItems = 500;
    private const int Growth = 4;
    private const long MaxBytes = 2 * 1024 * 1024;
    private static readonly TimeSpan Aim = TimeSpan.FromMilliseconds(100);

    public static int Next(int before, int ran, TimeSpan took, long bytes)
    {
        if (ran == 0)
            return before;
        var byTime = Aim / (took / ran);
        var bySize = MaxBytes / Math.Max(1, bytes / ran);
        return (int)Math.Clamp(Math.Min(byTime, bySize), 1, Math.Min(MaxItems, (long)before * Growth));
    }
}
