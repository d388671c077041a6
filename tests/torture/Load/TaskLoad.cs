using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Load;

/// <summary>
/// Clients that submit tasks one after the other: most to a provider that costs money, some that must fail, some that
/// are cancelled, run again, or followed by readers.
/// </summary>
internal sealed class TaskLoad(
    Client client, Recorder recorder, StreamReaders readers, Backlog backlog, IReadOnlyList<Tenant> tenants)
{
    private const int Clients = 4;
    private static int last;

    /// <param name="stop">Nothing more is submitted; what was is brought to its end.</param>
    /// <param name="over">It is left as it is.</param>
    public Task RunAsync(CancellationToken stop, CancellationToken over) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(
            () => SubmitAllAsync(tenants[number % tenants.Count], stop, over), CancellationToken.None)));

    private async Task SubmitAllAsync(Tenant tenant, CancellationToken stop, CancellationToken over)
    {
        var after = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            after.RemoveAll(task => task.IsCompletedSuccessfully);
            after.Add(await SubmitAsync(tenant, over));
            await backlog.HasRoomAsync(Backlog.Tasks, stop);
            await Task.Delay(Random.Shared.Next(200, 700), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(after);
    }

    /// <returns>What is done about it afterwards.</returns>
    private async Task<Task> SubmitAsync(Tenant tenant, CancellationToken over)
    {
        var marker = $"t{Interlocked.Increment(ref last)}";
        var luck = Random.Shared.Next(100);
        var words = string.Join(' ', Enumerable.Range(1, Random.Shared.Next(4, 25)).Select(i => $"w{i}"));
        var description = luck < 12 ? $"{Provider.Refused} {marker} {words}" : $"{marker} {words}";
        var agent = luck < 80 ? tenant.Provider : tenant.Slow;
        var request = Request.Post(tenant, "/api/tasks", new
        {
            agent_id = agent,
            description,
            max_attempts = 20,
            timeout_seconds = 60,
            tags = new[] { "torture" },
            scheduled_at = luck is > 75 and < 82 ? DateTime.UtcNow.AddSeconds(3) : (DateTime?)null,
        });
        var answer = await client.SendAsync(request, over);
        var task = new SentTask(tenant, marker, agent, description, answer is { Status: 201 } ? answer.Id : null);
        recorder.Tasks.Enqueue(task);
        if (answer is not null && answer.Status != 201)
            recorder.Wonder($"a task was answered {answer.Status}: {answer.Body}");
        return task.Id is { } id && answer is not null
            ? FollowAsync(task, id, request, answer, luck, over)
            : Task.CompletedTask;
    }

    private async Task FollowAsync(
        SentTask task, Guid id, Request request, Answer answer, int luck, CancellationToken over)
    {
        if (Random.Shared.Next(10) == 0)
            await client.RepeatAsync(request, answer, over);
        if (luck < 4)
            await RunAgainAsync(task, id, over);
        else if (luck is >= 12 and < 18)
            await CancelAsync(task, id, over);
        else if (luck is >= 20 and < 40)
            await readers.ReadAsync(task.Tenant, id, "stream-response", over);
        else if (luck is >= 40 and < 50)
            await readers.ReadAsync(task.Tenant, id, "stream", over);
    }

    private async Task CancelAsync(SentTask task, Guid id, CancellationToken over)
    {
        await Task.Delay(Random.Shared.Next(0, 400), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var answer = await client.SendAsync(Request.Post(task.Tenant, $"/api/tasks/{id}/cancel", new { }), over);
        task.IsCancelled = answer is { Status: 200 or 202 };
        if (answer is not null && answer.Status is not (200 or 202 or 409))
            recorder.Wonder($"the cancellation of {id} was answered {answer.Status}: {answer.Body}");
    }

    private async Task RunAgainAsync(SentTask task, Guid id, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            var answer = await client.ReadAsync(task.Tenant, $"/api/tasks/{id}", over);
            if (answer?.Json.GetProperty("status").GetString() == "failed")
            {
                if (await client.SendAsync(Request.Post(task.Tenant, $"/api/tasks/{id}/retry", new { }), over)
                    is { Status: 200 or 202 })
                    task.Retries++;
                return;
            }

            await Task.Delay(500, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
