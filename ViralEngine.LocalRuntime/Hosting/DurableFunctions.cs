using System.Runtime.CompilerServices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using ViralEngine.LocalRuntime.Durable;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Gives the orchestration engine the app's orchestrators and activities. They pass through the app's
/// middleware like every other function; an orchestrator does so anew each time it is replayed.</summary>
internal sealed class DurableFunctions(
    FunctionCatalog catalog, FunctionPipeline pipeline, FunctionRunner runner, DataConverter converter) : IDurableCode
{
    public bool HasOrchestrator(string name) => Find<OrchestrationTriggerAttribute>(name) is not null;

    public bool HasActivity(string name) => Find<ActivityTriggerAttribute>(name) is not null;

    // Not through the runner: a trace or a log scope that is open while an orchestrator waits would never be closed.
    public async Task<object?> RunOrchestratorAsync(TaskOrchestrationContext context)
    {
        var function = Find<OrchestrationTriggerAttribute>(context.Name.Name)
            ?? throw new InvalidOperationException($"The app has no orchestrator named '{context.Name.Name}'.");
        await using var invocation = new LocalFunctionContext(function, runner.Services, runner.Stopping)
        {
            TriggerValue = context,
        };
        await pipeline.InvokeAsync(invocation);
        return invocation.Result.Value;
    }

    public async Task<string?> RunActivityAsync(
        string name, TaskActivityContext context, string? inputJson, CancellationToken ct)
    {
        var function = Find<ActivityTriggerAttribute>(name)
            ?? throw new InvalidOperationException($"The app has no activity named '{name}'.");
        var type = function.TriggerParameter.ParameterType;
        await using var invocation = new LocalFunctionContext(function, runner.Services, runner.Stopping)
        {
            TriggerValue = type == typeof(TaskActivityContext) ? context : Read(inputJson, type),
            Aborted = ct,
        };
        await runner.RunAsync(invocation);
        return converter.Serialize(invocation.Result.Value);
    }

    private object? Read(string? json, Type type)
    {
        var value = converter.Deserialize(json, type);
        return value is null && type.IsValueType && Nullable.GetUnderlyingType(type) is null
            ? RuntimeHelpers.GetUninitializedObject(type)
            : value;
    }

    private LoadedFunction? Find<TTrigger>(string name) =>
        catalog.TryGet(name, out var function) && function.Trigger is TTrigger ? function : null;
}
