using System.Linq.Expressions;
using System.Reflection;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>Calls a function's method and awaits what it returns; null for a method without a value.</summary>
internal delegate ValueTask<object?> FunctionBody(object? instance, object?[] arguments);

/// <summary>Turns methods of any shape into one delegate, so that no call goes through reflection.</summary>
internal static class FunctionBodies
{
    public static FunctionBody Compile(MethodInfo method)
    {
        var instance = Expression.Parameter(typeof(object), "instance");
        var arguments = Expression.Parameter(typeof(object?[]), "arguments");
        var call = Expression.Call(
            method.IsStatic ? null : Expression.Convert(instance, method.DeclaringType!),
            method,
            method.GetParameters().Select((parameter, index) => Expression.Convert(
                Expression.ArrayIndex(arguments, Expression.Constant(index)),
                parameter.ParameterType)));

        return Expression.Lambda<FunctionBody>(Awaited(call), instance, arguments).Compile();
    }

    private static Expression Awaited(MethodCallExpression call)
    {
        var type = call.Type;
        if (type == typeof(void))
            return Expression.Block(call, Expression.Constant(default(ValueTask<object?>)));
        if (type == typeof(Task))
            return Expression.Call(Adapter(nameof(FromTaskAsync)), call);
        if (type == typeof(ValueTask))
            return Expression.Call(Adapter(nameof(FromValueTaskAsync)), call);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>))
            return Expression.Call(Adapter(nameof(FromTaskOfAsync), type), call);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>))
            return Expression.Call(Adapter(nameof(FromValueTaskOfAsync), type), call);
        return Expression.New(
            typeof(ValueTask<object?>).GetConstructor([typeof(object)])!,
            Expression.Convert(call, typeof(object)));
    }

    private static MethodInfo Adapter(string name, Type? taskType = null)
    {
        var adapter = typeof(FunctionBodies).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;
        return taskType is null ? adapter : adapter.MakeGenericMethod(taskType.GetGenericArguments());
    }

    private static async ValueTask<object?> FromTaskAsync(Task task)
    {
        await task;
        return null;
    }

    private static async ValueTask<object?> FromTaskOfAsync<T>(Task<T> task) => await task;

    private static async ValueTask<object?> FromValueTaskAsync(ValueTask task)
    {
        await task;
        return null;
    }

    private static async ValueTask<object?> FromValueTaskOfAsync<T>(ValueTask<T> task) => await task;
}
