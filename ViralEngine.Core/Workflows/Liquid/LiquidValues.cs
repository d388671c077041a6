using System.Text.Json;
using Fluid;
using Fluid.Values;

namespace ViralEngine.Core.Workflows.Liquid;

/// <summary>
/// What templates see: <c>input</c>, <c>steps.&lt;id&gt;.output</c>, <c>steps.&lt;id&gt;.status</c>, <c>workflow.id</c> and
/// <c>workflow.run</c>. JSON and nothing else.
/// </summary>
public sealed class LiquidValues(JsonElement? input, Guid workflowId, int run, IReadOnlyDictionary<string, StepValue> steps)
{
    private readonly FluidValue inputValue = input is { } json ? LiquidJson.ToValue(json) : NilValue.Instance;

    private readonly FluidValue workflow = new DictionaryValue(new LiquidJson.Members(new Dictionary<string, FluidValue>
    {
        ["id"] = new StringValue(workflowId.ToString()),
        ["run"] = NumberValue.Create(run),
    }));

    private readonly FluidValue stepValues = new DictionaryValue(new LiquidJson.Members(steps.ToDictionary(
        step => step.Key,
        FluidValue (step) => new DictionaryValue(new LiquidJson.Members(new Dictionary<string, FluidValue>
        {
            ["output"] = step.Value.Output is { } output ? LiquidJson.ToValue(output) : NilValue.Instance,
            ["status"] = new StringValue(step.Value.Status),
        })))));

    internal TemplateContext NewContext()
    {
        var context = new TemplateContext(LiquidLanguage.Options);
        context.SetValue("input", inputValue);
        context.SetValue("steps", stepValues);
        context.SetValue("workflow", workflow);
        LiquidFilters.StartClock(context);
        return context;
    }
}

/// <summary>What a template may use of a step.</summary>
public sealed record StepValue(string Status, JsonElement? Output);
