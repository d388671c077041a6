using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Requests;

/// <summary>The result that an endpoint has returned.</summary>
internal static class InvocationAnswers
{
    /// <summary>
    /// Removes the result from the invocation, because the worker would execute it again and also send it to the host
    /// as JSON. Null if there is none.
    /// </summary>
    public static IResult? TakeResult(this FunctionContext context)
    {
        var invocation = context.GetInvocationResult();
        if (invocation.Value is not IResult result)
            return null;
        invocation.Value = null;
        return result;
    }

    /// <summary>Writes the result to the client, unless it was already taken.</summary>
    public static Task AnswerAsync(this FunctionContext context) =>
        context.TakeResult()?.ExecuteAsync(context.GetHttpContext()!) ?? Task.CompletedTask;
}
