using ViralEngine.Core.Fields;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows;

/// <summary>Reads the templates of a definition, and checks that each uses only steps that come before it.</summary>
internal sealed class DefinitionTexts
{
    private HashSet<string> visible = [];

    /// <summary>The steps whose values may be used at the current position.</summary>
    public IReadOnlySet<string> Visible => visible;

    /// <summary>Reads with these steps visible.</summary>
    public T Within<T>(IEnumerable<string> steps, Func<T> read)
    {
        var before = visible;
        visible = [.. before, .. steps];
        var value = read();
        visible = before;
        return value;
    }

    public void Show(IEnumerable<string> steps) => visible.UnionWith(steps);

    public LiquidText? Read(FieldReader json, string name, bool required = false, int most = LiquidText.MaxCharacters)
    {
        var source = json.Text(name, most);
        if (required)
            json.Require(name, source);
        return source is null ? null : Parse(source, message => json.Fail(name, message));
    }

    public LiquidTree? ReadTree(FieldReader json, string name)
    {
        if (json.Value(name) is not { } value)
            return null;
        if (value.GetRawText().Length > 128 * 1024)
        {
            json.Fail(name, "Must have at most 131,072 characters of JSON.");
            return null;
        }

        var tree = LiquidTree.Parse(value, (path, message) => json.Fail(name + path, message));
        foreach (var text in tree.Texts)
            Check(text, message => json.Fail(name, message));
        return tree;
    }

    /// <summary>Reads an object of templates, such as headers.</summary>
    public IReadOnlyDictionary<string, LiquidText> ReadMap(FieldReader json, string name, Func<string, string?> check)
    {
        var texts = new Dictionary<string, LiquidText>(StringComparer.OrdinalIgnoreCase);
        var sources = json.Map(
            name, 30,
            (key, value) => check(key) ?? (value.Length > 4000 ? "Must have at most 4,000 characters." : null));
        foreach (var (key, source) in sources ?? new Dictionary<string, string>())
        {
            if (Parse(source, message => json.Fail($"{name}.{key}", message)) is { } text)
                texts[key] = text;
        }

        return texts;
    }

    private LiquidText? Parse(string source, Action<string> fail)
    {
        if (LiquidText.TryParse(source, out var fault) is not { } text)
        {
            fail(fault!);
            return null;
        }

        Check(text, fail);
        return text;
    }

    private void Check(LiquidText text, Action<string> fail)
    {
        foreach (var step in text.Steps.Where(step => !visible.Contains(step)))
            fail($"Must not use step '{step}', which does not run before this step.");
    }
}
