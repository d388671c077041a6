namespace ViralEngine.Functions.Requests;

/// <summary>Gathers what is wrong with a request, so that one answer tells all of it.</summary>
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

    /// <exception cref="ProblemException">400, when there is any.</exception>
    public void ThrowIfAny()
    {
        if (Count > 0)
            throw new ProblemException(Problem.Validation(faults.ToDictionary(fault => fault.Key, fault => fault.Value.ToArray())));
    }
}
