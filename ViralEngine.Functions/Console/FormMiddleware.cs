using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Accepts a form only with its session's token, in the field <c>form_token</c> or, for uploads by script, the header
/// <c>X-Form-Token</c>.
/// </summary>
internal sealed class FormMiddleware(EndpointCatalog endpoints, SessionCookie sessions) : IFunctionsWorkerMiddleware
{
    public const string Field = "form_token";
    public const string Header = "X-Form-Token";

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var http = context.GetHttpContext()!;
        if (HttpMethods.IsPost(http.Request.Method)
            && endpoints.Find(context.FunctionDefinition.Name) is { NeedsSession: true })
        {
            if (sessions.Read(http) is not { } session)
                throw new ProblemException(Problem.Unauthorized("Sign in first."));
            if (!IsToken(await SentAsync(http.Request, context.CancellationToken), session.FormToken))
                throw new ProblemException(
                    Problem.Forbidden("The form belongs to another session. Reload its page and submit it again."));
        }

        await next(context);
    }

    private static async Task<string> SentAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.Headers[Header].ToString() is { Length: > 0 } header)
            return header;
        return (await ConsoleForm.ReadAsync(request, ct))[Field].ToString();
    }

    private static bool IsToken(string sent, string expected) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), Encoding.UTF8.GetBytes(expected));
}
