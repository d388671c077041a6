using System.Text.Json;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>
/// Provides templates with the values they name and loads no others, because outputs may be large. All renderings of a
/// turn share one meter.
/// </summary>
internal sealed class StepValues(
    WorkflowTurn turn, Func<IReadOnlyList<string>, Task<Dictionary<string, JsonElement>>> loadOutputsAsync)
{
    private readonly Dictionary<string, JsonElement?> outputs = [];
    private readonly LiquidMeter meter = new();

    public async Task<LiquidValues> ForAsync(IEnumerable<LiquidText?> texts)
    {
        var ids = texts.SelectMany(text => text?.Steps ?? Nothing).ToHashSet();
        foreach (var id in ids)
        {
            if (turn.Find(id)?.NewOutput is { } output)
                outputs[id] = JsonElement.Parse(output);
        }

        var missing = ids.Where(id => !outputs.ContainsKey(id) && turn.Find(id) is { Status: StepStatus.Completed })
            .ToList();
        if (missing.Count > 0)
        {
            var loaded = await loadOutputsAsync(missing);
            foreach (var id in missing)
                outputs[id] = loaded.TryGetValue(id, out var output) ? output : null;
        }

        return new LiquidValues(turn.Input, turn.WorkflowId, turn.Run, ids.ToDictionary(
            id => id,
            id => new StepValue(turn.Find(id)?.Status.ToText() ?? "not_reached", outputs.GetValueOrDefault(id))),
            meter);
    }

    private static readonly IReadOnlySet<string> Nothing = new HashSet<string>();
}
