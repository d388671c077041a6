using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>Gives the results of a batch as a stream, written while they are read.</summary>
internal sealed class BatchResultEndpoint(BatchStore store, BatchResultReader results)
{
    [Function("GetBatchResults"), Allow(Roles.Readers)]
    [Summary("The results of a batch in the order of submission, as JSON, NDJSON or CSV; so far, where it still runs.")]
    [Query(typeof(BatchResultsQuery)), Returns(200, typeof(BatchResults))]
    [Returns(200, typeof(BatchResult), ContentType = "application/x-ndjson")]
    [Returns(200, typeof(string), ContentType = "text/csv")]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "batches/{id}/results")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<BatchResultsQuery>(request.Query);
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var batchId) || await store.FindAsync(tenant, batchId, ct) is null)
            return Problem.NotFound("batch");

        var rows = results.ReadAsync(tenant, batchId, query.Status, ct);
        return query.Format switch
        {
            ResultFormat.Csv => new Streamed(
                "text/csv; charset=utf-8; header=present", $"batch-{id}.csv", body => CsvResults.WriteAsync(body, rows, ct)),
            ResultFormat.Ndjson => new Streamed(
                "application/x-ndjson", $"batch-{id}.ndjson", body => JsonResults.WriteLinesAsync(body, rows, ct)),
            _ => new Streamed(
                "application/json; charset=utf-8", null, body => JsonResults.WriteDocumentAsync(body, batchId, rows, ct)),
        };
    }

    private sealed class Streamed(string contentType, string? fileName, Func<HttpResponse, Task> write) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            httpContext.Response.ContentType = contentType;
            if (fileName is not null)
                httpContext.Response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
            return write(httpContext.Response);
        }
    }
}
