using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>The client of the engine in the same database, whichever process runs it.</summary>
internal sealed class LocalDurableTaskClient(
    OrchestrationStarter starter,
    MessageWriter messages,
    QueryStore query,
    PurgeStore purge,
    Completions completions,
    DataConverter converter) : DurableTaskClient("local")
{
    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName,
        object? input = null,
        StartOrchestrationOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(orchestratorName.Name, nameof(orchestratorName));
        cancellation.ThrowIfCancellationRequested();
        var id = options?.InstanceId ?? Guid.NewGuid().ToString("N");
        Check(id);
        var start = new OrchestrationStart(
            id,
            Guid.CreateVersion7(),
            orchestratorName.Name,
            options?.Version?.Version,
            converter.Serialize(input),
            null,
            DurableTracing.Current);
        var tags = options?.Tags is { Count: > 0 } given
            ? JsonSerializer.Serialize(new(given), DurableJson.Default.DictionaryStringString)
            : null;
        await starter.StartAsync(new(start, options?.StartAt?.UtcDateTime, tags, Dedupe(options))).WaitAsync(cancellation);
        return id;
    }

    public override Task RaiseEventAsync(
        string instanceId,
        string eventName,
        object? eventPayload = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var raised = new HistoryEvent
        {
            Kind = EventKind.EventRaised,
            Name = eventName,
            Data = converter.Serialize(eventPayload),
        };
        return SendAsync(instanceId, raised, cancellation);
    }

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId,
        bool getInputsAndOutputs = false,
        CancellationToken cancellation = default) => WaitAsync(
            instanceId,
            getInputsAndOutputs,
            found => found.RuntimeStatus != OrchestrationRuntimeStatus.Pending,
            cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId,
        bool getInputsAndOutputs = false,
        CancellationToken cancellation = default) =>
        WaitAsync(instanceId, getInputsAndOutputs, found => found.IsCompleted, cancellation);

    public override Task TerminateInstanceAsync(
        string instanceId,
        TerminateInstanceOptions? options = null,
        CancellationToken cancellation = default)
    {
        var order = new HistoryEvent
        {
            Kind = EventKind.Terminate,
            Data = converter.Serialize(options?.Output),
            Recursive = options?.Recursive ?? false,
        };
        return SendAsync(instanceId, order, cancellation);
    }

    public override Task SuspendInstanceAsync(
        string instanceId,
        string? reason = null,
        CancellationToken cancellation = default) =>
        SendAsync(instanceId, new() { Kind = EventKind.Suspend, Data = reason }, cancellation);

    public override Task ResumeInstanceAsync(
        string instanceId,
        string? reason = null,
        CancellationToken cancellation = default) =>
        SendAsync(instanceId, new() { Kind = EventKind.Resume, Data = reason }, cancellation);

    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId,
        bool getInputsAndOutputs = false,
        CancellationToken cancellation = default)
    {
        Check(instanceId);
        return query.FindAsync(instanceId, getInputsAndOutputs, cancellation);
    }

    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        var wanted = filter ?? new();
        return Pageable.Create((continuation, size, ct) =>
            query.PageAsync(wanted, continuation ?? wanted.ContinuationToken, size ?? wanted.PageSize, ct));
    }

    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId,
        PurgeInstanceOptions? options = null,
        CancellationToken cancellation = default)
    {
        Check(instanceId);
        return new(await purge.PurgeAsync(instanceId, options?.Recursive ?? false, cancellation), true);
    }

    public override Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter,
        PurgeInstanceOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return purge.PurgeAsync(filter, options?.Recursive ?? false, cancellation);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task SendAsync(string instanceId, HistoryEvent message, CancellationToken ct)
    {
        Check(instanceId);
        ct.ThrowIfCancellationRequested();
        await messages.SendAsync(instanceId, message).WaitAsync(ct);
    }

    private Task<OrchestrationMetadata> WaitAsync(
        string instanceId,
        bool withData,
        Func<OrchestrationMetadata, bool> isReached,
        CancellationToken ct)
    {
        Check(instanceId);
        return completions.WaitAsync(
            instanceId,
            async token =>
            {
                var found = await query.FindAsync(instanceId, withData, token)
                    ?? throw new InvalidOperationException($"Orchestration with instanceId '{instanceId}' does not exist.");
                return isReached(found) ? found : null;
            },
            ct);
    }

    private static void Check(string instanceId)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        if (instanceId.Contains('\0')) throw new ArgumentException("An instance id holds no NUL.", nameof(instanceId));
    }

    private static string Dedupe(StartOrchestrationOptions? options) => options?.DedupeStatuses is { Count: > 0 } given
        ? $"{{{string.Join(',', given.Select(name => (int)Enum.Parse<OrchestrationRuntimeStatus>(name, ignoreCase: true)))}}}"
        : "{}";
}
