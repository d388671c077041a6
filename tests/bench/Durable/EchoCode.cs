using Google.Protobuf;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Protobuf;
using Microsoft.DurableTask.Worker.Grpc;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.Durable.Bench;

/// <summary>
/// Orchestrations that do next to nothing, replayed by the worker's own SDK, so that what is measured is the engine.
/// </summary>
internal sealed class EchoCode : IDurableCode
{
    public Task ReadyAsync(CancellationToken ct) => Task.CompletedTask;

    public bool HasOrchestrator(string name) => name is "One" or "Many" or "Steps";

    public bool HasActivity(string name) => name is "Echo" or "Wait";

    // Steps are taken side by side, as in a worker.
    public Task<OrchestratorResponse> RunOrchestratorAsync(
        string name, OrchestratorRequest step, CancellationToken ct) =>
        Task.Run(() => OrchestratorResponse.Parser.ParseFrom(Convert.FromBase64String(Replay(name, step))), ct);

    public async Task<ActivityResult> RunActivityAsync(ActivityWork work, CancellationToken ct)
    {
        if (work.Name == "Wait") await Task.Delay(20, ct);
        return new(work.Input);
    }

    private static string Replay(string name, OrchestratorRequest step)
    {
        var encoded = Convert.ToBase64String(step.ToByteArray());
        return name switch
        {
            "One" => GrpcOrchestrationRunner.LoadAndRun<string, string>(encoded, OneAsync),
            "Many" => GrpcOrchestrationRunner.LoadAndRun<int, int>(encoded, ManyAsync),
            _ => GrpcOrchestrationRunner.LoadAndRun<int, int>(encoded, StepsAsync),
        };
    }

    private static Task<string?> OneAsync(TaskOrchestrationContext context, string? word) =>
        context.CallActivityAsync<string?>("Echo", word);

    private static async Task<int> ManyAsync(TaskOrchestrationContext context, int count)
    {
        var calls = Enumerable.Range(0, count).Select(n => context.CallActivityAsync<int>("Echo", n));
        return (await Task.WhenAll(calls)).Length;
    }

    private static async Task<int> StepsAsync(TaskOrchestrationContext context, int count)
    {
        for (var i = 0; i < count; i++) await context.CallActivityAsync<int>("Wait", i);
        return count;
    }
}
