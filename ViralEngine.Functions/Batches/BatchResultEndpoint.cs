using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>Results of batches, streamed as they are read.</summary>
internal sealed class BatchResultEndpoint(
    BatchStore store, BatchResultReader results, BytesInFlight inFlight, CallerCheck check)
{
    [Function("GetBatchResults"), Allow(Roles.Readers), StreamsResult]
    [Summary(
        "Download the results of a batch in the order of submission, as JSON, NDJSON or CSV. "
        + "While it runs, the results so far.")]
    [Query(typeof(BatchResultsQuery)), Returns(200, typeof(BatchResults))]
    [Returns(200, typeof(BatchResult), ContentType = "application/x-ndjson")]
    [Returns(200, typeof(string), ContentType = "text/csv")]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/batches/{id}/results")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<BatchResultsQuery>(request.Query);
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var batchId) || await store.FindAsync(tenant, batchId, ct) is null)
            return Problem.NotFound("batch");

        var rows = ReadAsync(request.HttpContext, tenant, batchId, query.Status, ct);
        return FormatOf(request, query) switch
        {
            ResultFormat.Csv => new Streamed(
                "text/csv; charset=utf-8; header=present", $"batch-{id}.csv",
                body => CsvResults.WriteAsync(body, rows, ct)),
            ResultFormat.Ndjson => new Streamed(
                "application/x-ndjson", $"batch-{id}.ndjson", body => JsonResults.WriteLinesAsync(body, rows, ct)),
            _ => new Streamed(
                "application/json; charset=utf-8", null,
                body => JsonResults.WriteDocumentAsync(body, batchId, rows, ct)),
        };
    }

    /// <summary>The query decides; without it, the first supported type in Accept.</summary>
    private static ResultFormat FormatOf(HttpRequest request, BatchResultsQuery query)
    {
        if (request.Query.ContainsKey("format"))
            return query.Format;
        // A weight of 0 says that the type is not acceptable (RFC 9110, section 12.4.2).
        foreach (var accepted in request.GetTypedHeaders().Accept.Where(type => type.Quality != 0).OrderByDescending(
            type => type.Quality ?? 1))
        {
            switch (accepted.MediaType.Value?.ToLowerInvariant())
            {
                case "text/csv":
                    return ResultFormat.Csv;
                case "application/x-ndjson":
                    return ResultFormat.Ndjson;
                case "application/json" or "*/*":
                    return ResultFormat.Json;
            }
        }

        return query.Format;
    }

    private async IAsyncEnumerable<BatchResult> ReadAsync(
        HttpContext http, TenantId tenant, Guid batchId, AgentTaskStatus? status,
        [EnumeratorCancellation] CancellationToken ct)
    {
        var caller = check.Of(http);
        for (var after = 0; ;)
        {
            // A caller whose key is revoked meanwhile gets no more. The response is cut, so that the client notices.
            if (!await caller.IsStillAllowedAsync(ct))
                throw new ProblemException(Problem.Unauthorized("The credential is no longer valid."));
            using var room = await inFlight.TakeAsync(tenant, 2 * BatchResultReader.PageBytes, ct);
            var page = await results.ReadAsync(tenant, batchId, status, after, ct);
            // A single result may exceed the page size; a character takes two bytes.
            room.Grow(Math.Max(
                0, (2L * page.Results.Sum(result => result.Result?.Length ?? 0)) - (2 * BatchResultReader.PageBytes)));
            foreach (var result in page.Results)
                yield return result;
            if (!page.More)
                yield break;
            after = page.Last;
        }
    }

    private sealed class Streamed(string contentType, string? fileName, Func<HttpResponse, Task> write) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            httpContext.Response.ContentType = contentType;
            if (fileName is not null)
                httpContext.Response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
            return HttpMethods.IsHead(httpContext.Request.Method) ? Task.CompletedTask : write(httpContext.Response);
        }
    }
}
