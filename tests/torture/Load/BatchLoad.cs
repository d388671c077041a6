using System.Text;
using System.Text.Json;
using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Load;

/// <summary>Batches of some hundred items, now and then, of which a few must fail.</summary>
internal sealed class BatchLoad(Client client, Recorder recorder, Backlog backlog, IReadOnlyList<Tenant> tenants)
{
    private static int last;

    public async Task RunAsync(CancellationToken stop, CancellationToken over)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            await SubmitAsync(tenants[number % tenants.Count], over);
            await backlog.HasRoomAsync(Backlog.Batches, stop);
            await Task.Delay(Random.Shared.Next(3000, 7000), stop).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SubmitAsync(Tenant tenant, CancellationToken over)
    {
        var marker = $"b{Interlocked.Increment(ref last)}";
        var items = Enumerable.Range(1, Random.Shared.Next(20, 100))
            .Select(number => Random.Shared.Next(20) == 0
                ? $"{Provider.Refused} {marker} item {number}"
                : $"{marker} item {number}")
            .ToList();
        var agent = Random.Shared.Next(3) == 0 ? tenant.Slow : tenant.Provider;
        var request = Random.Shared.Next(2) == 0
            ? Request.Post(tenant, "/api/batches", new
            {
                name = marker,
                agent_id = agent,
                concurrency_limit = 10,
                items = items.Select(item => new { description = item, max_attempts = 20, timeout_seconds = 60 }),
            })
            : new Request(
                tenant, tenant.Key, HttpMethod.Post,
                $"/api/batches?name={marker}&agent_id={agent}&concurrency_limit=10", Lines(items),
                "application/x-ndjson", Guid.NewGuid().ToString("n"));
        var answer = await client.SendAsync(request, over);
        recorder.Batches.Enqueue(new SentBatch(tenant, marker, items, answer is { Status: 202 } ? answer.Id : null));
        if (answer is { Status: 202 })
            await client.RepeatAsync(request, answer, over);
        else if (answer is not null)
            recorder.Wonder($"a batch was answered {answer.Status}: {answer.Body}");
    }

    private static string Lines(IEnumerable<string> items)
    {
        var lines = new StringBuilder();
        foreach (var item in items)
            lines.Append(JsonSerializer.Serialize(new { description = item, max_attempts = 20, timeout_seconds = 60 }))
                .Append('\n');
        return lines.ToString();
    }
}
