using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.LocalRuntime.Hosting;

/// <summary>The app's middleware with the function at its end.</summary>
internal sealed class FunctionPipeline(FunctionPipeline.Parts parts)
{
    private readonly FunctionExecutionDelegate pipeline =
        parts.Middleware.Reverse().Aggregate((FunctionExecutionDelegate)ExecuteAsync, (next, part) => part(next));

    public Task InvokeAsync(LocalFunctionContext context) => pipeline(context);

    private static async Task ExecuteAsync(FunctionContext functionContext)
    {
        var context = (LocalFunctionContext)functionContext;
        var function = context.Function;
        var sources = function.Sources;
        var arguments = sources.Length == 0 ? [] : new object?[sources.Length];
        for (var index = 0; index < sources.Length; index++)
            arguments[index] = await sources[index](context);

        var instance = function.Activator?.Invoke(context.InstanceServices, null);
        try
        {
            context.Result.Value = await function.Body(instance, arguments);
        }
        finally
        {
            if (instance is IAsyncDisposable asyncDisposable)
                await asyncDisposable.DisposeAsync();
            else if (instance is IDisposable disposable)
                disposable.Dispose();
        }
    }

    /// <summary>What the pipeline is made of, outermost first.</summary>
    public sealed record Parts(IReadOnlyList<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> Middleware);
}
