using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using ViralEngine.LocalRuntime.Durable;

namespace ViralEngine.LocalRuntime.Tests.Durable;

/// <summary>Orchestrators and activities as delegates.</summary>
internal sealed class DelegateCode : IDurableCode
{
    private readonly Dictionary<string, Func<TaskOrchestrationContext, Task<object?>>> orchestrators =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, Func<TaskActivityContext, string?, CancellationToken, Task<string?>>> activities =
        new(StringComparer.OrdinalIgnoreCase);

    public DelegateCode Orchestrator<TOut>(string name, Func<TaskOrchestrationContext, Task<TOut>> body)
    {
        orchestrators[name] = async context => await body(context);
        return this;
    }

    public DelegateCode Orchestrator(string name, Func<TaskOrchestrationContext, Task> body)
    {
        orchestrators[name] = async context =>
        {
            await body(context);
            return null;
        };
        return this;
    }

    public DelegateCode Activity<TIn, TOut>(string name, Func<TIn, CancellationToken, Task<TOut>> body)
    {
        activities[name] = async (_, input, ct) =>
        {
            var result = await body(JsonDataConverter.Default.Deserialize<TIn>(input)!, ct);
            return JsonDataConverter.Default.Serialize(result);
        };
        return this;
    }

    public DelegateCode Activity<TIn, TOut>(string name, Func<TIn, TOut> body) =>
        Activity<TIn, TOut>(name, (input, _) => Task.FromResult(body(input)));

    public bool HasOrchestrator(string name) => orchestrators.ContainsKey(name);

    public bool HasActivity(string name) => activities.ContainsKey(name);

    public Task<object?> RunOrchestratorAsync(TaskOrchestrationContext context) =>
        orchestrators[context.Name.Name](context);

    public Task<string?> RunActivityAsync(
        string name,
        TaskActivityContext context,
        string? inputJson,
        CancellationToken ct) => activities[name](context, inputJson, ct);
}
