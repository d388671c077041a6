using System.Text.Json;
using ViralEngine.LocalHost.Worker.Protocol;

namespace ViralEngine.LocalHost.Worker;

/// <summary>A function as the worker has indexed it: its trigger, and which parameters want a Durable client.</summary>
internal sealed class WorkerFunction
{
    /// <exception cref="InvalidOperationException">It has no trigger, or several.</exception>
    public WorkerFunction(RpcFunctionMetadata metadata)
    {
        Metadata = metadata;
        JsonElement[] bindings = [.. metadata.RawBindings.Select(text => JsonDocument.Parse(text).RootElement.Clone())];
        var triggers = bindings.Where(binding => Type(binding).EndsWith("Trigger", StringComparison.OrdinalIgnoreCase))
            .ToArray();
        if (triggers.Length != 1)
            throw new InvalidOperationException($"Function '{Name}' has {triggers.Length} triggers. It must have one.");
        Trigger = triggers[0];
        TriggerType = Type(Trigger);
        TriggerName = Trigger.GetProperty("name").GetString()!;
        DurableClients =
        [
            .. bindings.Where(binding => Type(binding).Equals("durableClient", StringComparison.OrdinalIgnoreCase))
                .Select(binding => binding.GetProperty("name").GetString()!),
        ];
    }

    public RpcFunctionMetadata Metadata { get; }

    public string Name => Metadata.Name;

    public string Id => Metadata.FunctionId;

    /// <summary>The trigger's binding, as in a function.json.</summary>
    public JsonElement Trigger { get; }

    public string TriggerType { get; }

    public string TriggerName { get; }

    public IReadOnlyList<string> DurableClients { get; }

    public bool Has(string triggerType) => TriggerType.Equals(triggerType, StringComparison.OrdinalIgnoreCase);

    /// <summary>A text of the trigger's binding; null when it is not there.</summary>
    public string? Setting(string name) =>
        Trigger.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static string Type(JsonElement binding) => binding.GetProperty("type").GetString() ?? "";
}
