using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace ViralEngine.LocalHost.Sample;

/// <summary>Notes each function that it passes on to. A conflict is an answer, not a failure.</summary>
public sealed class SampleMiddleware : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var name = context.FunctionDefinition.Name;
        if (!name.StartsWith("Note", StringComparison.Ordinal)) Notes.Add($"middleware {name}");
        try
        {
            await next(context);
        }
        catch (Exception exception) when (exception.GetBaseException() is ConflictException conflict)
        {
            context.GetInvocationResult().Value = Results.Text(conflict.Message, statusCode: 409);
        }
    }
}

public sealed class ConflictException(string message) : Exception(message);
