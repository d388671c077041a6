namespace ViralEngine.Functions.Requests;

/// <summary>Collects all errors of a request, so that one response reports them all.</summary>
internal sealed class FieldErrors
{
    private const int Most = 100;
    private readonly Dictionary<string, List<string>> faults = [];

    public int Count { get; private set; }

    public void Add(string field, string rule)
    {
        if (Count++ >= Most)
            return;
        if (!faults.TryGetValue(field, out var rules))
            faults[field] = rules = [];
        rules.Add(rule);
    }

    /// <exception cref="ProblemException">400 if there are any.</exception>
    public void ThrowIfAny()
    {
        if (Count > 0)
            throw new ProblemException(Problem.Validation(faults.ToDictionary(fault => fault.Key, fault => fault.Value.ToArray())));
    }
}
