namespace ViralEngine.Core.Agents;

/// <summary>Errors in an agent's settings, by the path of the field.</summary>
public sealed class SettingsErrors
{
    private readonly Dictionary<string, List<string>> errors = [];

    public bool Any => errors.Count > 0;

    /// <param name="field">The field's path: <c>settings.price.input_per_million</c>.</param>
    /// <param name="message">The rule: "Must be a string."</param>
    public void Add(string field, string message)
    {
        if (!errors.TryGetValue(field, out var messages))
            errors[field] = messages = [];
        messages.Add(message);
    }

    public Dictionary<string, string[]> ToDictionary() => errors.ToDictionary(e => e.Key, e => e.Value.ToArray());
}
