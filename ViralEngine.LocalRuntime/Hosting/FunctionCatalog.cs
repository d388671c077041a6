using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Every function of the app, by name.</summary>
internal sealed class FunctionCatalog
{
    private readonly Dictionary<string, LoadedFunction> functions = new(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="InvalidOperationException">Two functions have one name, or a method cannot be
    /// one.</exception>
    public FunctionCatalog(IEnumerable<Type> types)
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static
            | BindingFlags.Instance | BindingFlags.DeclaredOnly;

        foreach (var method in types.SelectMany(type => type.GetMethods(declared)))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is not { Name: var name })
                continue;
            if (!functions.TryAdd(name, new LoadedFunction(name, method)))
                throw new InvalidOperationException($"Two functions are named '{name}'. Names must be unique.");
        }
    }

    public IReadOnlyCollection<LoadedFunction> Functions => functions.Values;

    /// <summary>Whether any function is part of an orchestration, or starts one.</summary>
    public bool IsDurable => Has<OrchestrationTriggerAttribute>() || Has<ActivityTriggerAttribute>()
        || functions.Values.Any(function => function.InputBindings.Values.Any(
            binding => binding.Type == "durableClient"));

    public bool Has<TTrigger>()
        where TTrigger : TriggerBindingAttribute => functions.Values.Any(function => function.Trigger is TTrigger);

    public bool TryGet(string name, [MaybeNullWhen(false)] out LoadedFunction function) =>
        functions.TryGetValue(name, out function);
}
