using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Events;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;

namespace ViralEngine.Functions.Batches;

/// <summary>Batches: many items submitted and counted together.</summary>
internal sealed class BatchEndpoints(
    Db db, BatchStore store, EventFollower follower, Signals signals, BatchStarts starts)
{
    [Function("ListBatches"), Allow(Roles.Readers), Summary("List batches, newest first.")]
    [Query(typeof(BatchListQuery)), Returns(200, typeof(BatchPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/batches")] HttpRequest request,
        CancellationToken ct) =>
        Results.Ok(await ListAsync(request.Caller(), RequestBinder.BindQuery<BatchListQuery>(request.Query), ct));

    internal async Task<BatchPage> ListAsync(Caller caller, BatchListQuery query, CancellationToken ct)
    {
        var batches = await store.ListAsync(caller.Tenant, query.Status, query.After(), query.Limit + 1, ct);
        var next = query.Next(batches, batch => batch.Id);
        return new BatchPage(batches, next);
    }

    [Function("GetBatch"), Allow(Roles.Readers)]
    [Summary("Read a batch with its counts, progress, rate and estimated end.")]
    [Returns(200, typeof(Batch))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/batches/{id}")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        Ids.TryParse(id, out var batchId) && await store.FindAsync(request.Caller().Tenant, batchId, ct) is { } batch
            ? Results.Ok(batch)
            : Problem.NotFound("batch");

    [Function("StreamBatch"), Allow(Roles.Readers)]
    [Summary("Follow a batch's state and progress as server-sent events.")]
    [Returns(200, ContentType = "text/event-stream", EventData = "BatchEvent")]
    [Returns(204, Description = "The batch has ended and the client has every event.")]
    public Task StreamAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/batches/{id}/stream")]
        HttpRequest request,
        string id,
        CancellationToken ct) =>
        follower.FollowAsync(request, request.Caller().Tenant, BatchStore.EventHead, id, "batch", ct);

    [Function("CancelBatch"), Allow(Roles.Operators), Audited("batch.cancelled", KeepsAnswer = false)]
    [Summary(
        "Cancel a batch. No more items start, running items are stopped within a second, and the rest are cancelled.")]
    [Returns(202, typeof(Batch))]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/batches/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var batchId)
            || await store.CancelAsync(caller.Tenant, batchId, caller.Principal, ct) is not { } open)
            return Problem.NotFound("batch");
        var batch = (await store.FindAsync(caller.Tenant, batchId, ct))!;
        if (!open)
            return Problem.Conflict("batch-ended", $"The batch has already ended: it is {batch.Status.ToText()}.");

        await db.AfterCommitAsync(async token =>
        {
            signals.Publish(caller.Tenant, batchId);
            await starts.StopAsync(durable, batchId, batch.Run, token);
        }, ct);
        return Results.Accepted($"/api/batches/{batchId}", batch);
    }

    [Function("RetryFailedBatchItems"), Allow(Roles.Operators), Audited("batch.retried", KeepsAnswer = false)]
    [Summary("Run only the failed items of a finished batch again.")]
    [Returns(202, typeof(Batch))]
    public async Task<IResult> RetryFailedAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/batches/{id}/retry-failed")]
        HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var batchId)
            || await store.RetryFailedAsync(caller.Tenant, batchId, caller.Principal, ct) is not { } run)
            return Problem.NotFound("batch");
        var batch = (await store.FindAsync(caller.Tenant, batchId, ct))!;
        if (run == 0)
        {
            return Problem.Conflict(
                "batch-not-retryable",
                batch.Status.IsTerminal()
                    ? "No item of the batch failed."
                    : $"The batch has not ended: it is {batch.Status.ToText()}.");
        }

        await db.AfterCommitAsync(async token =>
        {
            signals.Publish(caller.Tenant, batchId);
            await starts.StartAsync(durable, caller.Tenant, batchId, run, token);
        }, ct);
        return Results.Accepted($"/api/batches/{batchId}", batch);
    }
}
