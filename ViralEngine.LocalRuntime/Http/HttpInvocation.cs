using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.LocalRuntime.Hosting;

namespace ViralEngine.LocalRuntime.Http;

/// <summary>Answers requests with one function.</summary>
internal sealed class HttpInvocation(
    LoadedFunction function, AuthorizationLevel level, FunctionRunner runner, FunctionKey key)
{
    public async Task AnswerAsync(HttpContext request)
    {
        if (level != AuthorizationLevel.Anonymous && !key.Opens(request.Request))
        {
            request.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var context = new LocalFunctionContext(function, runner.Services, runner.Stopping)
        {
            Request = request,
        };
        try
        {
            await runner.RunAsync(context);
        }
        catch (Exception)
        {
            // The runner has logged it; this is where it becomes a response.
            Fail(request);
        }
        finally
        {
            await context.DisposeAsync();
        }
    }

    private static void Fail(HttpContext request)
    {
        if (request.Response.HasStarted)
        {
            request.Abort();
            return;
        }

        request.Response.Clear();
        request.Response.StatusCode = StatusCodes.Status500InternalServerError;
    }
}
