using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Durable;

/// <summary>The context that orchestrator code sees. Every wish becomes an action of the execution.</summary>
internal sealed class OrchestrationContext(
    OrchestrationStart start,
    OrchestrationExecution execution,
    DataConverter converter,
    ILoggerFactory loggers) : TaskOrchestrationContext
{
    // The namespace that Durable Task uses for GUIDs of orchestrations.
    private static readonly Guid GuidNamespace = new("9e952958-5e33-4daf-827f-2fa12937b875");

    private int guids;

    public override TaskName Name { get; } = new(start.Name);

    public override string InstanceId => start.InstanceId;

    public override ParentOrchestrationInstance? Parent { get; } = start.Parent?.ToInstance();

    public override DateTime CurrentUtcDateTime => execution.AskTime();

    public override bool IsReplaying => execution.IsReplaying;

    public override string Version => start.Version ?? "";

    protected override ILoggerFactory LoggerFactory => loggers;

    public override T? GetInput<T>()
        where T : default => converter.Deserialize<T>(start.Input);

    public override Task<TResult> CallActivityAsync<TResult>(
        TaskName name,
        object? input = null,
        TaskOptions? options = null)
    {
        var json = converter.Serialize(input);
        return RetryAsync(options?.Retry, () => execution.CallActivity<TResult>(name.Name, json));
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName,
        object? input = null,
        TaskOptions? options = null)
    {
        var given = options as SubOrchestrationOptions;
        var version = given?.Version?.Version ?? options?.Version?.Version;
        var json = converter.Serialize(input);
        return RetryAsync(options?.Retry, () => execution.CallOrchestrator<TResult>(
            orchestratorName.Name,
            given?.InstanceId ?? NewGuid().ToString("N"),
            version,
            json));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken) =>
        execution.CreateTimer(
            fireAt.Kind == DateTimeKind.Local
                ? fireAt.ToUniversalTime()
                : DateTime.SpecifyKind(fireAt, DateTimeKind.Utc),
            cancellationToken);

    public override Task<T> WaitForExternalEvent<T>(
        string eventName,
        CancellationToken cancellationToken = default) => execution.WaitForEvent<T>(eventName, cancellationToken);

    public override void SendEvent(string instanceId, string eventName, object payload) =>
        execution.SendEvent(instanceId, eventName, converter.Serialize(payload));

    public override void SetCustomStatus(object? customStatus) =>
        execution.SetCustomStatus(converter.Serialize(customStatus));

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        execution.ContinueAsNew(converter.Serialize(newInput), preserveUnprocessedEvents, null);

    public override void ContinueAsNew(ContinueAsNewOptions options) => execution.ContinueAsNew(
        converter.Serialize(options.NewInput),
        options.PreserveUnprocessedEvents,
        options.NewVersion);

    /// <summary>A name-based GUID (RFC 9562 section 5.5) of the instance, the step's time and a counter.</summary>
    public override Guid NewGuid()
    {
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"{start.InstanceId}_{CurrentUtcDateTime:o}_{guids++}");
        Span<byte> source = stackalloc byte[16 + Encoding.UTF8.GetMaxByteCount(name.Length)];
        GuidNamespace.TryWriteBytes(source, bigEndian: true, out _);
        var length = 16 + Encoding.UTF8.GetBytes(name, source[16..]);
        Span<byte> hash = stackalloc byte[20];
        Hash(source[..length], hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

#pragma warning disable CA5350 // RFC 9562 prescribes SHA-1 for version 5; nothing here is a secret.
    private static void Hash(ReadOnlySpan<byte> source, Span<byte> hash) => SHA1.HashData(source, hash);
#pragma warning restore CA5350

    private Task<T> RetryAsync<T>(TaskRetryOptions? retry, Func<Task<T>> call) =>
        retry is null ? call() : Retries.RunAsync(this, retry, call);
}
