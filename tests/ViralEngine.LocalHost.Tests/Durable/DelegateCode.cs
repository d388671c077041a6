using Google.Protobuf;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Protobuf;
using Microsoft.DurableTask.Worker.Grpc;
using Microsoft.DurableTask.Worker.Shims;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.LocalHost.Tests.Durable;

/// <summary>
/// Orchestrators and activities as delegates. The orchestrators are replayed by the worker's own SDK, in this process.
/// </summary>
/// <param name="logs">Where orchestrators log; null for nowhere.</param>
internal sealed class DelegateCode(ILoggerProvider? logs = null) : IDurableCode
{
    private readonly Dictionary<string, Func<string, string>> orchestrators = new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, Func<ActivityWork, CancellationToken, Task<string?>>> activities =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly IServiceProvider services = Services(logs);

    public DelegateCode Orchestrator<TIn, TOut>(string name, Func<TaskOrchestrationContext, TIn?, Task<TOut>> body)
    {
        orchestrators[name] = encoded => GrpcOrchestrationRunner.LoadAndRun<TIn, TOut>(
            encoded, async (context, input) => await body(context, input), services);
        return this;
    }

    public DelegateCode Orchestrator<TOut>(string name, Func<TaskOrchestrationContext, Task<TOut>> body) =>
        Orchestrator<object, TOut>(name, (context, _) => body(context));

    public DelegateCode Orchestrator(string name, Func<TaskOrchestrationContext, Task> body) =>
        Orchestrator<object, object?>(name, async (context, _) =>
        {
            await body(context);
            return null;
        });

    public DelegateCode Activity<TIn, TOut>(string name, Func<TIn, CancellationToken, Task<TOut>> body)
    {
        activities[name] = async (work, ct) =>
        {
            var result = await body(JsonDataConverter.Default.Deserialize<TIn>(work.Input)!, ct);
            return JsonDataConverter.Default.Serialize(result);
        };
        return this;
    }

    public DelegateCode Activity<TIn, TOut>(string name, Func<TIn, TOut> body) =>
        Activity<TIn, TOut>(name, (input, _) => Task.FromResult(body(input)));

    public Task ReadyAsync(CancellationToken ct) => Task.CompletedTask;

    public bool HasOrchestrator(string name) => orchestrators.ContainsKey(name);

    public bool HasActivity(string name) => activities.ContainsKey(name);

    // Steps are taken side by side, as in a worker.
    public Task<OrchestratorResponse> RunOrchestratorAsync(
        string name, OrchestratorRequest step, CancellationToken ct) => Task.Run(
            () =>
            {
                var answer = orchestrators[name](Convert.ToBase64String(step.ToByteArray()));
                return OrchestratorResponse.Parser.ParseFrom(Convert.FromBase64String(answer));
            },
            ct);

    public async Task<ActivityResult> RunActivityAsync(ActivityWork work, CancellationToken ct)
    {
        try
        {
            return new(await activities[work.Name](work, ct));
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return new(null, FailureRecord.From(exception));
        }
    }

    private static ServiceProvider Services(ILoggerProvider? logs)
    {
        var factory = LoggerFactory.Create(builder =>
        {
            if (logs is not null) builder.AddProvider(logs);
        });
        return new ServiceCollection().AddSingleton(new DurableTaskShimFactory(null, factory)).BuildServiceProvider();
    }
}
