using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.DurableTask.Protobuf;

namespace ViralEngine.LocalHost.Durable;

/// <summary>
/// What a <c>DurableTaskClient</c> calls: starts, looks after and ends the orchestrations of this database, whichever
/// process runs them. Callers must know the <see cref="ClientKey"/>.
/// </summary>
internal sealed class DurableService(
    OrchestrationStarter starter,
    MessageWriter messages,
    QueryStore query,
    PurgeStore purge,
    Completions completions,
    ClientKey key) : TaskHubSidecarService.TaskHubSidecarServiceBase
{
    private const int DefaultPage = 100;

    public override Task<Empty> Hello(Empty request, ServerCallContext context)
    {
        Admit(context);
        return Task.FromResult(request);
    }

    public override async Task<CreateInstanceResponse> StartInstance(
        CreateInstanceRequest request, ServerCallContext context)
    {
        Admit(context);
        var id = string.IsNullOrEmpty(request.InstanceId) ? Guid.NewGuid().ToString("N") : Checked(request.InstanceId);
        if (string.IsNullOrEmpty(request.Name))
            throw new RpcException(new(StatusCode.InvalidArgument, "The request names no orchestrator."));
        var start = new OrchestrationStart(
            id,
            Guid.CreateVersion7(),
            request.Name,
            request.Version is { Length: > 0 } version ? version : null,
            request.Input,
            null,
            request.ParentTraceContext?.TraceParent ?? DurableTracing.Current);
        var tags = request.Tags.Count == 0
            ? null
            : JsonSerializer.Serialize(new(request.Tags), DurableJson.Default.DictionaryStringString);
        var wanted = new StartRequest(start, request.ScheduledStartTimestamp?.ToDateTime(), tags, Refusing(request));
        if (!await starter.TryStartAsync(wanted).WaitAsync(context.CancellationToken))
        {
            throw new RpcException(new(
                StatusCode.AlreadyExists, $"An orchestration with the instance id '{id}' already exists."));
        }

        return new() { InstanceId = id };
    }

    public override async Task<RaiseEventResponse> RaiseEvent(RaiseEventRequest request, ServerCallContext context)
    {
        if (string.IsNullOrEmpty(request.Name))
            throw new RpcException(new(StatusCode.InvalidArgument, "The event has no name."));
        await SendAsync(
            request.InstanceId,
            new() { Kind = EventKind.EventRaised, Name = request.Name, Data = request.Input },
            context);
        return new();
    }

    public override async Task<TerminateResponse> TerminateInstance(TerminateRequest request, ServerCallContext context)
    {
        await SendAsync(
            request.InstanceId,
            new() { Kind = EventKind.Terminate, Data = request.Output, Recursive = request.Recursive },
            context);
        return new();
    }

    public override async Task<SuspendResponse> SuspendInstance(SuspendRequest request, ServerCallContext context)
    {
        await SendAsync(request.InstanceId, new() { Kind = EventKind.Suspend, Data = request.Reason }, context);
        return new();
    }

    public override async Task<ResumeResponse> ResumeInstance(ResumeRequest request, ServerCallContext context)
    {
        await SendAsync(request.InstanceId, new() { Kind = EventKind.Resume, Data = request.Reason }, context);
        return new();
    }

    public override async Task<GetInstanceResponse> GetInstance(GetInstanceRequest request, ServerCallContext context)
    {
        Admit(context);
        var found = await query.FindAsync(
            Checked(request.InstanceId), request.GetInputsAndOutputs, context.CancellationToken);
        return found is null ? new() : new() { Exists = true, OrchestrationState = found };
    }

    public override Task<GetInstanceResponse> WaitForInstanceStart(
        GetInstanceRequest request, ServerCallContext context) =>
        WaitAsync(request, status => status != OrchestrationStatus.Pending, context);

    public override Task<GetInstanceResponse> WaitForInstanceCompletion(
        GetInstanceRequest request, ServerCallContext context) =>
        WaitAsync(
            request,
            status =>
                status is OrchestrationStatus.Completed or OrchestrationStatus.Failed or OrchestrationStatus.Terminated,
            context);

    public override async Task<QueryInstancesResponse> QueryInstances(
        QueryInstancesRequest request, ServerCallContext context)
    {
        Admit(context);
        var wanted = request.Query ?? new();
        var size = wanted.MaxInstanceCount > 0 ? wanted.MaxInstanceCount : DefaultPage;
        var found = await query.PageAsync(wanted, size, context.CancellationToken);
        var response = new QueryInstancesResponse
        {
            ContinuationToken = found.Count == size ? found[^1].InstanceId : null,
        };
        response.OrchestrationState.AddRange(found);
        return response;
    }

    public override async Task<PurgeInstancesResponse> PurgeInstances(
        PurgeInstancesRequest request, ServerCallContext context)
    {
        Admit(context);
        switch (request.RequestCase)
        {
            case PurgeInstancesRequest.RequestOneofCase.InstanceId:
                var id = Checked(request.InstanceId);
                return new()
                {
                    DeletedInstanceCount = await purge.PurgeAsync([id], request.Recursive, context.CancellationToken),
                    IsComplete = true,
                };
            case PurgeInstancesRequest.RequestOneofCase.InstanceBatch:
                return new()
                {
                    DeletedInstanceCount = await purge.PurgeAsync(
                        [.. request.InstanceBatch.InstanceIds.Select(Checked)], request.Recursive,
                        context.CancellationToken),
                    IsComplete = true,
                };
            default:
                return await purge.PurgeAsync(
                    request.PurgeInstanceFilter ?? new(), request.Recursive, context.CancellationToken);
        }
    }

    private void Admit(ServerCallContext context)
    {
        if (!key.Opens(context.RequestHeaders.GetValue(ClientKey.Header)))
            throw new RpcException(new(StatusCode.PermissionDenied, "The caller is not a client of this host."));
    }

    private async Task SendAsync(string instanceId, StoredEvent message, ServerCallContext context)
    {
        Admit(context);
        await messages.SendAsync(Checked(instanceId), message).WaitAsync(context.CancellationToken);
    }

    private async Task<GetInstanceResponse> WaitAsync(
        GetInstanceRequest request, Func<OrchestrationStatus, bool> isReached, ServerCallContext context)
    {
        Admit(context);
        var id = Checked(request.InstanceId);
        var found = await completions.WaitAsync(
            id,
            async token =>
            {
                var state = await query.FindAsync(id, request.GetInputsAndOutputs, token)
                    ?? throw new RpcException(new(
                        StatusCode.NotFound, $"An orchestration with the instance id '{id}' does not exist."));
                return isReached(state.OrchestrationStatus) ? state : null;
            },
            context.CancellationToken);
        return new() { Exists = true, OrchestrationState = found };
    }

    private static string Checked(string? instanceId) => string.IsNullOrEmpty(instanceId) || instanceId.Contains('\0')
        ? throw new RpcException(new(StatusCode.InvalidArgument, "An instance id must not be empty or contain NUL."))
        : instanceId;

    // Without a policy, a finished instance is replaced, whatever its outcome.
    private static string Refusing(CreateInstanceRequest request)
    {
        if (request.OrchestrationIdReusePolicy is not { } policy) return "{}";
        OrchestrationStatus[] finished =
        [
            OrchestrationStatus.Completed, OrchestrationStatus.Failed, OrchestrationStatus.Canceled,
            OrchestrationStatus.Terminated,
        ];
        return $"{{{string.Join(',', finished.Except(policy.ReplaceableStatus).Select(status => (int)status))}}}";
    }
}
