using Microsoft.DurableTask;
using ViralEngine.LocalRuntime.Durable;

namespace ViralEngine.Durable.Bench;

/// <summary>Orchestrations that do next to nothing, so that what is measured is the engine.</summary>
internal sealed class EchoCode : IDurableCode
{
    public bool HasOrchestrator(string name) => name is "One" or "Many" or "Steps";

    public bool HasActivity(string name) => name is "Echo" or "Wait";

    public async Task<object?> RunOrchestratorAsync(TaskOrchestrationContext context)
    {
        switch (context.Name.Name)
        {
            case "One":
                return await context.CallActivityAsync<string>("Echo", context.GetInput<string>());
            case "Many":
                var calls = Enumerable.Range(0, context.GetInput<int>())
                    .Select(n => context.CallActivityAsync<int>("Echo", n));
                return (await Task.WhenAll(calls)).Length;
            default:
                var steps = context.GetInput<int>();
                for (var i = 0; i < steps; i++) await context.CallActivityAsync<int>("Wait", i);
                return steps;
        }
    }

    public async Task<string?> RunActivityAsync(
        string name,
        TaskActivityContext context,
        string? inputJson,
        CancellationToken ct)
    {
        if (name == "Wait") await Task.Delay(20, ct);
        return inputJson;
    }
}
