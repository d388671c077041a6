namespace ViralEngine.Core.Fields;

/// <summary>Collects all errors of a request by field, so that one response reports them all.</summary>
public sealed class FieldErrors
{
    private const int MaxErrors = 100;
    private readonly Dictionary<string, List<string>> errors = [];

    public int Count { get; private set; }

    public bool Any => Count > 0;

    /// <param name="field">The field's path: <c>settings.price.input_per_million</c>.</param>
    /// <param name="rule">What it must be: "Must be a string."</param>
    public void Add(string field, string rule)
    {
        if (Count++ >= MaxErrors)
            return;
        if (!errors.TryGetValue(field, out var rules))
            errors[field] = rules = [];
        rules.Add(rule);
    }

    public Dictionary<string, string[]> ToDictionary() =>
        errors.ToDictionary(error => error.Key, error => error.Value.ToArray());
}
