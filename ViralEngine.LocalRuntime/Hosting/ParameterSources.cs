using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalRuntime.Http;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Finds one argument of a call.</summary>
internal delegate ValueTask<object?> ParameterSource(LocalFunctionContext context);

/// <summary>Decides once per parameter where its argument comes from.</summary>
internal static class ParameterSources
{
    public static ParameterSource For(LoadedFunction function, ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        if (type == typeof(FunctionContext))
            return static context => new(context);
        if (type == typeof(CancellationToken))
            return static context => new(context.CancellationToken);
        if (type == typeof(HttpContext))
            return context => new(context.GetHttpContext() ?? throw NotBound(function, parameter));
        if (type == typeof(HttpRequest))
            return context => new((context.GetHttpContext() ?? throw NotBound(function, parameter)).Request);
        if (parameter.GetCustomAttribute<FromBodyAttribute>() is not null)
            return context => JsonBody.ReadAsync(context, type);
        if (parameter.GetCustomAttribute<InputBindingAttribute>() is not null)
            return context => new(context.InstanceServices.GetRequiredService(type));
        if (parameter == function.TriggerParameter)
            return static context => new(context.TriggerValue);
        if (function.Trigger is OrchestrationTriggerAttribute)
            return OrchestrationInput(type);
        return ByName(function, parameter);
    }

    /// <summary>The second parameter of an orchestrator is its input.</summary>
    private static ParameterSource OrchestrationInput(Type type)
    {
        var read = typeof(ParameterSources).GetMethod(nameof(ReadInput), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(type)
            .CreateDelegate<Func<TaskOrchestrationContext, object?>>();
        return context => new(read((TaskOrchestrationContext)context.TriggerValue!));
    }

    private static object? ReadInput<T>(TaskOrchestrationContext context) => context.GetInput<T>();

    /// <summary>A route or query value of the parameter's name. One that is not there is the parameter's default, or
    /// null; when it can be neither, or the text does not convert, the invocation fails.</summary>
    private static ParameterSource ByName(LoadedFunction function, ParameterInfo parameter)
    {
        var name = parameter.Name!;
        var convert = TextConversion.To(parameter.ParameterType);
        var optional = parameter.HasDefaultValue
            || !parameter.ParameterType.IsValueType
            || Nullable.GetUnderlyingType(parameter.ParameterType) is not null;
        var absent = parameter.HasDefaultValue ? parameter.DefaultValue : null;

        return context => context.TryGetBindingText(name, out var text)
            ? new(convert(text) ?? throw NotBound(function, parameter))
            : optional ? new(absent) : throw NotBound(function, parameter);
    }

    private static FunctionInputConverterException NotBound(LoadedFunction function, ParameterInfo parameter) =>
        new($"Function '{function.Name}': no value of type {parameter.ParameterType.Name} for parameter "
            + $"'{parameter.Name}'.");
}
