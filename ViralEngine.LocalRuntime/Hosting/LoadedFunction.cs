using System.Collections.Immutable;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>A function as it was found in an assembly: what starts it, and how to call it.</summary>
internal sealed class LoadedFunction : FunctionDefinition
{
    // Compiled at the first call, so that an app of a hundred functions does not pay for all of them at start.
    private readonly Lazy<FunctionBody> body;
    private readonly Lazy<ParameterSource[]> sources;
    private readonly Lazy<ObjectFactory?> activator;

    /// <exception cref="InvalidOperationException">The method cannot be a function.</exception>
    public LoadedFunction(string name, MethodInfo method)
    {
        var triggers = method.GetParameters()
            .Where(parameter => parameter.GetCustomAttribute<TriggerBindingAttribute>() is not null)
            .ToArray();
        if (triggers.Length != 1)
            throw new InvalidOperationException($"Function '{name}' has {triggers.Length} triggers. It needs one.");

        if (!method.IsPublic)
            throw new InvalidOperationException(
                $"Function '{name}' is not public: the Functions host would not find it.");

        Name = name;
        Method = method;
        TriggerParameter = triggers[0];
        Trigger = TriggerParameter.GetCustomAttribute<TriggerBindingAttribute>()!;
        if (TriggerType() is { } needed && needed != TriggerParameter.ParameterType)
            throw new InvalidOperationException(
                $"Function '{name}': parameter '{TriggerParameter.Name}' should be {needed.Name}, as its trigger is.");
        EntryPoint = $"{method.DeclaringType!.FullName}.{method.Name}";
        PathToAssembly = method.DeclaringType.Assembly.Location;
        Parameters = [.. method.GetParameters().Select(parameter => new FunctionParameter(
            parameter.Name!, parameter.ParameterType, parameter.HasDefaultValue, parameter.DefaultValue))];
        InputBindings = FunctionBinding.Of(method);
        body = new(() => FunctionBodies.Compile(method));
        sources = new(() => [.. method.GetParameters().Select(parameter => ParameterSources.For(this, parameter))]);
        activator = new(() => method.IsStatic ? null : ActivatorUtilities.CreateFactory(method.DeclaringType, []));
    }

    public MethodInfo Method { get; }

    public TriggerBindingAttribute Trigger { get; }

    public ParameterInfo TriggerParameter { get; }

    public FunctionBody Body => body.Value;

    public ParameterSource[] Sources => sources.Value;

    /// <summary>Makes the object the method is called on; null for a static method.</summary>
    public ObjectFactory? Activator => activator.Value;

    public string ActivityName => field ??= $"function {Name}";

    public override ImmutableArray<FunctionParameter> Parameters { get; }

    public override string PathToAssembly { get; }

    public override string EntryPoint { get; }

    public override string Id => Name;

    public override string Name { get; }

    public override IImmutableDictionary<string, BindingMetadata> InputBindings { get; }

    public override IImmutableDictionary<string, BindingMetadata> OutputBindings =>
        ImmutableDictionary<string, BindingMetadata>.Empty;

    /// <summary>What the trigger's parameter has to be; null when it may be anything.</summary>
    private Type? TriggerType() => Trigger switch
    {
        HttpTriggerAttribute => typeof(HttpRequest),
        TimerTriggerAttribute => typeof(TimerInfo),
        OrchestrationTriggerAttribute => typeof(TaskOrchestrationContext),
        _ => null,
    };
}
