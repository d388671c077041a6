namespace ViralEngine.Torture.Promises;

/// <summary>Something that must hold, how often it was looked at, and where it did not hold.</summary>
internal sealed class Promise(string name)
{
    private readonly List<string> violations = [];

    public string Name => name;

    public long Observations { get; private set; }

    public IReadOnlyList<string> Violations => violations;

    /// <summary>What was never looked at is not kept.</summary>
    public bool IsKept => violations.Count == 0 && Observations > 0;

    public bool Expect(bool kept, Func<string> detail)
    {
        Observations++;
        if (!kept)
            violations.Add(detail());
        return kept;
    }

    public void Equal<T>(T expected, T actual, Func<string> what) =>
        Expect(
            EqualityComparer<T>.Default.Equals(expected, actual),
            () => $"{what()}: expected {expected}, found {actual}");
}
