using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>A binding as its attribute declares it: <c>HttpTriggerAttribute</c> becomes <c>httpTrigger</c>.</summary>
internal sealed class FunctionBinding(string name, string type) : BindingMetadata
{
    public override string Name { get; } = name;

    public override string Type { get; } = type;

    public override BindingDirection Direction => BindingDirection.In;

    public static ImmutableDictionary<string, BindingMetadata> Of(MethodInfo method) =>
        method.GetParameters()
            .Select(parameter => (parameter.Name, Attribute: parameter.GetCustomAttribute<BindingAttribute>()))
            .Where(found => found.Attribute is not null)
            .ToImmutableDictionary(
                found => found.Name!,
                BindingMetadata (found) => new FunctionBinding(found.Name!, TypeOf(found.Attribute!)));

    private static string TypeOf(BindingAttribute attribute)
    {
        var name = attribute.GetType().Name;
        return char.ToLowerInvariant(name[0]) + name[1..^nameof(Attribute).Length];
    }
}
