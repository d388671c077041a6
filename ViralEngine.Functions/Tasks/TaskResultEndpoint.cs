using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Tasks;

/// <summary>Results of tasks as plain text, streamed, of any size.</summary>
internal sealed class TaskResultEndpoint(TaskStore store, BytesInFlight inFlight, CallerCheck check)
{
    private const int PieceCharacters = 256 * 1024;

    [Function("GetTaskResult"), Allow(Roles.Readers), StreamsResult]
    [Summary("Read the whole result of a task as plain text.")]
    [Returns(200, typeof(string), ContentType = "text/plain")]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/tasks/{id}/result")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var taskId) || await store.FindAsync(tenant, taskId, ct) is not { } task)
            return Problem.NotFound("task");
        if (task.ResultBytes is not { } bytes)
            return Problem.NotFound("result: the task has no result yet");
        return new Streamed(bytes, WriteAsync);

        async Task WriteAsync(HttpContext http)
        {
            var caller = check.Of(http);
            for (var from = 0; ;)
            {
                if (!await caller.IsStillAllowedAsync(ct))
                    throw new ProblemException(Problem.Unauthorized("The credential is no longer valid."));
                using var room = await inFlight.TakeAsync(tenant, 4L * Math.Min(bytes, PieceCharacters), ct);
                if (await store.ReadResultAsync(tenant, taskId, from, PieceCharacters, ct) is not { Length: > 0 } piece)
                    return;
                await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(piece), ct);
                from += CharactersOf(piece);
                if (CharactersOf(piece) < PieceCharacters)
                    return;
            }
        }
    }

    /// <summary>PostgreSQL counts code points.</summary>
    private static int CharactersOf(string text) => text.Length - text.Count(char.IsLowSurrogate);

    private sealed class Streamed(int bytes, Func<HttpContext, Task> write) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            httpContext.Response.ContentType = "text/plain; charset=utf-8";
            httpContext.Response.ContentLength = bytes;
            httpContext.Response.Headers.XContentTypeOptions = "nosniff";
            return HttpMethods.IsHead(httpContext.Request.Method) ? Task.CompletedTask : write(httpContext);
        }
    }
}
