using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.DurableTask.Protobuf;
using ViralEngine.LocalHost.Worker;
using ViralEngine.LocalHost.Worker.Protocol;

namespace ViralEngine.LocalHost.Durable;

/// <summary>The worker's orchestrators and activities.</summary>
internal sealed class WorkerCode(WorkerChannel channel, Invocations invocations) : IDurableCode
{
    private IReadOnlyDictionary<string, WorkerFunction> functions = new Dictionary<string, WorkerFunction>();

    public async Task ReadyAsync(CancellationToken ct) => functions = await channel.Ready.WaitAsync(ct);

    public bool HasOrchestrator(string name) => Has(name, "orchestrationTrigger");

    public bool HasActivity(string name) => Has(name, "activityTrigger");

    public async Task<OrchestratorResponse> RunOrchestratorAsync(
        string name, OrchestratorRequest step, CancellationToken ct)
    {
        var request = invocations.Orchestrator(functions[name], Convert.ToBase64String(step.ToByteArray()));
        var response = await channel.InvokeAsync(request, ct);
        if (response.Result.Status != StatusResult.Types.Status.Success)
        {
            ct.ThrowIfCancellationRequested();
            throw new OrchestratorFailedException(response.Result.Exception?.Message ?? "The worker gave no reason.");
        }

        return OrchestratorResponse.Parser.ParseFrom(Convert.FromBase64String(response.ReturnValue.String));
    }

    public async Task<ActivityResult> RunActivityAsync(ActivityWork work, CancellationToken ct)
    {
        var response = await channel.InvokeAsync(invocations.Activity(functions[work.Name], work), ct);
        if (response.Result.Status == StatusResult.Types.Status.Success) return new(Json(response.ReturnValue));
        ct.ThrowIfCancellationRequested();
        return new(null, Failure(response.Result.Exception));
    }

    private bool Has(string name, string trigger) =>
        functions.TryGetValue(name, out var function) && function.Has(trigger);

    /// <summary>What a function returned, as JSON; null for nothing.</summary>
    private static string? Json(TypedData? value) => value?.DataCase switch
    {
        TypedData.DataOneofCase.Json => value.Json,
        TypedData.DataOneofCase.String => JsonSerializer.Serialize(value.String),
        TypedData.DataOneofCase.Bytes => JsonSerializer.Serialize(value.Bytes.ToBase64()),
        TypedData.DataOneofCase.Int => value.Int.ToString(CultureInfo.InvariantCulture),
        TypedData.DataOneofCase.Double => JsonSerializer.Serialize(value.Double),
        _ => null,
    };

    // The message of a failed activity is its details as the JSON form of their protobuf; of one that the worker could
    // not call at all, it is a message.
    private static FailureRecord Failure(RpcException? exception)
    {
        var message = exception?.Message ?? "The worker gave no reason.";
        try
        {
            return FailureRecord.From(JsonParser.Default.Parse<TaskFailureDetails>(message));
        }
        catch (Exception unreadable) when (unreadable is InvalidProtocolBufferException or InvalidJsonException)
        {
            return new(
                exception?.Type is { Length: > 0 } type ? type : "(unknown)", message, exception?.StackTrace, null);
        }
    }
}

/// <summary>An orchestrator could not be run at all; what it throws itself comes as its answer.</summary>
internal sealed class OrchestratorFailedException(string message) : Exception(message);
