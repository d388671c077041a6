using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ViralEngine.Functions.Requests;

/// <summary>The result that an endpoint has answered by.</summary>
internal static class InvocationAnswers
{
    /// <summary>
    /// Takes it out of the invocation: the worker would execute it again, and send it to the host besides, as JSON. Null: there is none.
    /// </summary>
    public static IResult? TakeResult(this FunctionContext context)
    {
        var invocation = context.GetInvocationResult();
        if (invocation.Value is not IResult result)
            return null;
        invocation.Value = null;
        return result;
    }

    /// <summary>Writes it to the client, where it has not been taken before.</summary>
    public static Task AnswerAsync(this FunctionContext context) =>
        context.TakeResult()?.ExecuteAsync(context.GetHttpContext()!) ?? Task.CompletedTask;
}
