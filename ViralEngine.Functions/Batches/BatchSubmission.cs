using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Batches;

/// <summary>Submission of batches: stored as they arrive, completely or not at all.</summary>
internal sealed class BatchSubmission(
    Db db, BatchIntake intake, BatchStore store, AgentDirectory agents, BatchStarts starts,
    IOptions<BatchOptions> options,
    IOptions<LimitsOptions> limits)
{
    [Function("CreateBatch"), Allow(Roles.Operators), StreamsBody, WaitsForOthers]
    [Summary("Submit a batch as a JSON document, or as NDJSON (application/x-ndjson) with the settings in the query.")]
    [Body(typeof(CreateBatchRequest)), Body(typeof(BatchItemRequest), ContentType = "application/x-ndjson")]
    [Query(typeof(BatchSettings), OnlyFor = "application/x-ndjson"), Returns(202, typeof(Batch))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/batches")] HttpRequest request,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct) =>
        await CreateAsync(request, Open(request), durable, ct);

    /// <summary>Stores the batch, whatever the format of its body.</summary>
    internal async Task<IResult> CreateAsync(
        HttpRequest request, BatchBody body, DurableTaskClient durable, CancellationToken ct)
    {
        var caller = request.Caller();
        if (request.ContentLength > options.Value.MaxBodyBytes)
            throw BatchBody.TooLarge(options.Value.MaxBodyBytes);

        var batchId = RowId.New();
        var mostPerMonth = limits.Value.Of(caller.Plan!).TasksPerMonth;
        try
        {
            var contents = await intake.StoreAsync(caller.Tenant, batchId, mostPerMonth, body.ReadAsync(ct), ct);
            var settings = body.Settings();
            await CheckAsync(caller.Tenant, body, settings, contents, ct);
            return await AddAsync(durable, caller, batchId, settings, contents, mostPerMonth, ct);
        }
        catch (Exception e) when (!DatabaseAway.Explains(e))
        {
            // While the database is unreachable, it is unknown whether the batch was stored; the sweep cleans up.
            await db.RollbackAsync();
            await intake.RemoveAsync(caller.Tenant, batchId, CancellationToken.None);
            throw;
        }
    }

    private async Task<IResult> AddAsync(
        DurableTaskClient durable, Caller caller, Guid batchId, BatchSettings settings, BatchContents contents,
        long mostPerMonth,
        CancellationToken ct)
    {
        await db.BeginAsync(ct);
        await intake.AddAsync(caller.Tenant, new NewBatch(
            batchId, settings.Name, settings.Description, settings.AgentId, settings.ConcurrencyLimit,
            settings.FailureMode,
            caller.Principal)
        {
            MaxPerMonth = mostPerMonth,
        }, contents, ct);
        var batch = await store.FindAsync(caller.Tenant, batchId, ct);
        await db.AfterCommitAsync(token => starts.StartAsync(durable, caller.Tenant, batchId, run: 1, token), ct);
        await db.CommitAsync(ct);
        return Results.Accepted($"/api/batches/{batchId}", batch);
    }

    private BatchBody Open(HttpRequest request)
    {
        var type = request.ContentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        if (type.Equals("application/x-ndjson", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/jsonl", StringComparison.OrdinalIgnoreCase))
        {
            return new NdjsonBatchBody(request.BodyReader, options.Value.MaxBodyBytes, request.Query);
        }

        if (!type.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(new Problem(
                415, "unsupported-media-type", "The content type is not supported.",
                "Send Content-Type: application/json, or application/x-ndjson with one item per line."));
        }

        if (request.Query.Keys.FirstOrDefault() is { } parameter)
            throw new ProblemException(
                Problem.Validation(parameter, "Unknown parameter. The settings of a JSON batch belong in the body."));
        return new JsonBatchBody(request.BodyReader, options.Value.MaxBodyBytes);
    }

    /// <summary>Checks the rules that concern all items together.</summary>
    private async Task CheckAsync(
        TenantId tenant, BatchBody body, BatchSettings settings, BatchContents contents, CancellationToken ct)
    {
        var errors = new FieldErrors();
        if (string.IsNullOrWhiteSpace(settings.Name))
            errors.Add("name", "Is required.");
        foreach (var repeated in contents.Repeated)
            errors.Add(
                $"{body.NameOf(repeated.Again)}.id",
                $"'{repeated.Id}' is already the id of {body.NameOf(repeated.First)}.");
        if (settings.AgentId is null && contents.WithoutAgent is { } number)
            errors.Add("agent_id", $"Is required, because {body.NameOf(number)} names no agent.");
        else if (settings.AgentId is { } agentId && !await agents.ExistsAsync(tenant, agentId, ct))
            errors.Add("agent_id", $"There is no agent '{agentId}'.");
        if (contents.Agents.Count > BatchLimits.MaxAgents)
            errors.Add("items", $"Must name at most {BatchLimits.MaxAgents} different agents in a batch.");
        errors.ThrowIfAny();

        foreach (var (named, first) in contents.Agents)
        {
            if (!await agents.ExistsAsync(tenant, named, ct))
                errors.Add($"{body.NameOf(first)}.agent_id", $"There is no agent '{named}'.");
        }

        errors.ThrowIfAny();
    }
}
