using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Console.Batches;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>The list of batches, and a live batch with its failures and actions.</summary>
internal sealed class BatchPages(
    BatchEndpoints api, BatchResultEndpoint results, BatchStore store, BatchFailureReader failures, ConsolePages pages)
{
    private const string Section = "batches";

    [Function("ConsoleBatches"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/batches")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<BatchListQuery>(), ct);
        return await pages.ShowAsync<BatchListPage>(request, "Batches", Section, new()
        {
            [nameof(BatchListPage.Batches)] = page.Batches,
            [nameof(BatchListPage.Query)] = query.Values,
            [nameof(BatchListPage.Next)] = page.NextCursor,
        }, ct);
    }

    // Named so that the host tries more specific routes first.
    [Function("ConsoleShowBatch"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/batches/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var batchId) || await store.FindAsync(tenant, batchId, ct) is not { } batch)
            return Problem.NotFound("batch");
        return await pages.ShowAsync<BatchDetailPage>(request, "Batch", Section, new()
        {
            [nameof(BatchDetailPage.Batch)] = batch,
            [nameof(BatchDetailPage.Failures)] = batch.Counts.Failed == 0
                ? []
                : await failures.ReadAsync(tenant, batchId, ct),
        }, ct);
    }

    [Function("ConsoleBatchResults"), Allow(Roles.Readers), StreamsResult]
    public Task<IResult> ResultsAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/batches/{id}/results")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        results.GetAsync(request, id, ct);

    [Function("ConsoleCancelBatch"), Allow(Roles.Operators), Audited("batch.cancelled", KeepsAnswer = false)]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/batches/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        SeeOther.After(
            await api.CancelAsync(request, id, durable, ct), _ => $"/console/batches/{id}?notice=batch-cancelled");

    [Function("ConsoleRetryBatch"), Allow(Roles.Operators), Audited("batch.retried", KeepsAnswer = false)]
    public async Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/batches/{id}/retry-failed")]
        HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        SeeOther.After(
            await api.RetryFailedAsync(request, id, durable, ct), _ => $"/console/batches/{id}?notice=batch-retried");
}
