namespace Microsoft.Azure.Functions.Worker.Middleware;

#pragma warning disable CA1711 // The name is the real one.
/// <summary>The rest of the pipeline, the function itself included.</summary>
public delegate Task FunctionExecutionDelegate(FunctionContext context);
#pragma warning restore CA1711
