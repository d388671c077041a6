using System.Text.Json;
using Fluid;
using Fluid.Values;
using ViralEngine.Core.Texts;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// The values that templates can use: <c>input</c>, <c>steps.&lt;id&gt;.output</c>, <c>steps.&lt;id&gt;.status</c>,
/// <c>workflow.id</c> and
/// <c>workflow.run</c>. JSON and nothing else.
/// </summary>
public sealed class LiquidValues
{
    private readonly FluidValue input;
    private readonly FluidValue workflow;
    private readonly FluidValue steps;

    /// <param name="meter">Shared by all templates rendered together.</param>
    public LiquidValues(
        JsonElement? input, Guid workflowId, int run, IReadOnlyDictionary<string, StepValue> steps,
        LiquidMeter? meter = null)
    {
        Meter = meter ?? new LiquidMeter();
        this.input = ValueOf(input);
        workflow = ObjectOf(new()
        {
            ["id"] = new StringValue(workflowId.ToString()),
            ["run"] = NumberValue.Create((decimal)run),
        });
        this.steps = ObjectOf(steps.ToDictionary(step => step.Key, FluidValue (step) => ObjectOf(new()
        {
            ["output"] = ValueOf(step.Value.Output),
            ["status"] = new StringValue(step.Value.Status),
        })));
    }

    internal LiquidMeter Meter { get; }

    internal LiquidOrigins Origins { get; } = new();

    internal TemplateContext NewContext()
    {
        var context = LiquidLanguage.NewContext(Meter, Origins);
        context.SetValue("input", input);
        context.SetValue("steps", steps);
        context.SetValue("workflow", workflow);
        return context;
    }

    private FluidValue ValueOf(JsonElement? json) =>
        json is { } some ? Origins.Make(Readable(some)) : NilValue.Instance;

    /// <summary>Older stored values may contain escapes that are not valid text.</summary>
    private static JsonElement Readable(JsonElement json)
    {
        var text = json.GetRawText();
        return text.Contains("\\u", StringComparison.Ordinal) && OutsideJson.TryParse(text, out var mended)
            ? mended
            : json;
    }

    private static DictionaryValue ObjectOf(Dictionary<string, FluidValue> members) =>
        new DictionaryValue(new Members(members));

    private sealed class Members(Dictionary<string, FluidValue> values) : IFluidIndexable
    {
        public int Count => values.Count;

        public IEnumerable<string> Keys => values.Keys;

        public bool TryGetValue(string name, out FluidValue value)
        {
            var found = values.TryGetValue(name, out var member);
            value = member ?? NilValue.Instance;
            return found;
        }
    }
}

/// <summary>The values of a step that a template may use.</summary>
public sealed record StepValue(string Status, JsonElement? Output);
