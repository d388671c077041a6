using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using ViralEngine.Console.Batches;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Console;

/// <summary>
/// Submits a batch from a file. The page's script sends the file as the body and the fields in the query.
/// </summary>
internal sealed class NewBatchPages(
    BatchSubmission submission, AgentDirectory agents, IOptions<BatchOptions> options, ConsolePages pages)
{
    private const int MaxPreviewed = 5;
    private const int MaxAgentsLookedUp = BatchLimits.MaxAgents;

    [Function("ConsoleNewBatch"), Allow(Roles.Operators)]
    public Task<IResult> NewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/batches/new")] HttpRequest request,
        CancellationToken ct) =>
        ShowAsync(request, new Dictionary<string, string[]>(), null, 200, ct);

    [Function("ConsoleSubmitBatch"), Allow(Roles.Operators), StreamsBody, WaitsForOthers]
    public async Task<IResult> SubmitAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/batches/new")] HttpRequest request,
        [DurableClient] DurableTaskClient durable, CancellationToken ct)
    {
        var answer = await ConsoleForm.AnswerOfAsync(
            () => submission.CreateAsync(request, Open(request, ConsoleQuery.Of(request).Values), durable, ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await ShowAsync(request, faults, PreviewOf(faults), 400, ct)
            : SeeOther.After(answer, batch => $"/console/batches/{((Batch)batch!).Id}?notice=batch-submitted");
    }

    /// <summary>Reads the file like a submission, without storing anything.</summary>
    [Function("ConsolePreviewBatch"), Allow(Roles.Operators), StreamsBody, WaitsForOthers]
    public async Task<IResult> PreviewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/batches/preview")] HttpRequest request,
        CancellationToken ct)
    {
        BatchPreview preview;
        try
        {
            preview = await ReadAsync(request, ct);
        }
        catch (ProblemException e) when (e.Problem.Errors is { } faults)
        {
            preview = new BatchPreview(0, [], null, FaultsIn(faults, _ => true));
        }

        return await ShowAsync(request, new Dictionary<string, string[]>(), preview, 200, ct);
    }

    private async Task<BatchPreview> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        // Ignores the fields, which are still being filled in.
        var body = Open(request, new Dictionary<string, string> { ["name"] = "preview" });
        var first = new List<PreviewItem>();
        var named = new Dictionary<string, int>();
        var items = 0;
        await foreach (var item in body.ReadAsync(ct))
        {
            items++;
            if (first.Count < MaxPreviewed)
                first.Add(new PreviewItem(item.Number, item.ItemId, item.AgentId, item.Description, item.InputJson));
            if (item.AgentId is { } agent && named.Count < MaxAgentsLookedUp)
                named.TryAdd(agent, item.Number);
        }

        var faults = new List<LineFault>();
        foreach (var (agent, number) in named)
        {
            if (!await agents.ExistsAsync(request.Caller().Tenant, agent, ct))
                faults.Add(new LineFault($"{body.NameOf(number)}.agent_id", $"There is no agent '{agent}'."));
        }

        return new BatchPreview(items, first, (body as CsvBatchBody)?.Columns?.Names, faults);
    }

    private BatchBody Open(HttpRequest request, IReadOnlyDictionary<string, string> fields)
    {
        var query = new QueryCollection(fields.Where(field => field.Key != "once")
            .ToDictionary(field => field.Key, field => new StringValues(field.Value)));
        var most = options.Value.MaxBodyBytes;
        return request.ContentType switch
        {
            "text/csv" => new CsvBatchBody(request.BodyReader, most, query),
            "application/x-ndjson" => new NdjsonBatchBody(request.BodyReader, most, query),
            _ => throw new ProblemException(
                Problem.Validation("file", "Must be CSV (text/csv) or NDJSON (application/x-ndjson).")),
        };
    }

    private Task<IResult> ShowAsync(
        HttpRequest request, IReadOnlyDictionary<string, string[]> faults, BatchPreview? preview, int status,
        CancellationToken ct) =>
        pages.ShowAsync<NewBatchPage>(request, "Submit batch", "batches", new()
        {
            [nameof(NewBatchPage.Values)] = ConsoleQuery.Of(request).Values,
            [nameof(NewBatchPage.Errors)] = faults,
            [nameof(NewBatchPage.Preview)] = preview,
        }, ct, status);

    /// <summary>The errors of the file; null if only the fields have errors.</summary>
    private static BatchPreview? PreviewOf(IReadOnlyDictionary<string, string[]> faults)
    {
        var fields = RequestBinder.FieldsOf(typeof(BatchSettings)).Select(field => field.Name).ToHashSet();
        var ofLines = FaultsIn(faults, name => !fields.Contains(name));
        return ofLines.Count == 0 ? null : new BatchPreview(0, [], null, ofLines);
    }

    private static List<LineFault> FaultsIn(IReadOnlyDictionary<string, string[]> faults, Func<string, bool> isOne) =>
    [
        .. faults.Where(fault => isOne(fault.Key))
            .SelectMany(fault => fault.Value.Select(rule => new LineFault(fault.Key, rule))),
    ];
}
