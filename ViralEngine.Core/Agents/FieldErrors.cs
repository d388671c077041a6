namespace ViralEngine.Core.Agents;

/// <summary>What is wrong with a request, by the path of the field.</summary>
public sealed class FieldErrors
{
    private readonly Dictionary<string, List<string>> errors = [];

    public bool Any => errors.Count > 0;

    /// <param name="field">Its path: <c>settings.price.input_per_million</c>.</param>
    /// <param name="message">A phrase that follows the field's name: "must be a string".</param>
    public void Add(string field, string message)
    {
        if (!errors.TryGetValue(field, out var messages))
            errors[field] = messages = [];
        messages.Add(message);
    }

    public IDictionary<string, string[]> ToDictionary() => errors.ToDictionary(e => e.Key, e => e.Value.ToArray());
}
