using System.Text.Json;
using ViralEngine.Torture.Outside;

namespace ViralEngine.Torture.Load;

/// <summary>
/// Workflows that prepare, ask two of three people, pay and end. Some are rejected; with some the payment fails, and
/// they are run again from there, which asks again.
/// </summary>
internal sealed class WorkflowLoad(Client client, Recorder recorder, Backlog backlog, IReadOnlyList<Tenant> tenants)
{
    private const string Gate = "ask";
    private const string Paid = "pay";
    private static int last;

    public async Task RunAsync(CancellationToken stop, CancellationToken over)
    {
        var following = new List<Task>();
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            following.RemoveAll(task => task.IsCompletedSuccessfully);
            following.Add(RunOneAsync(tenants[number % tenants.Count], over));
            await backlog.HasRoomAsync(Backlog.Workflows, stop);
            await Task.Delay(Random.Shared.Next(1500, 4000), stop).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(following);
    }

    private async Task RunOneAsync(Tenant tenant, CancellationToken over)
    {
        var marker = $"f{Interlocked.Increment(ref last)}";
        var luck = Random.Shared.Next(10);
        var (decision, description) = luck switch
        {
            0 => ("reject", $"{marker} pay"),
            < 3 => ("approve", $"{Provider.Refused} {marker} pay"),
            _ => ("approve", $"{marker} pay it now"),
        };
        var request = Request.Post(tenant, "/api/workflows", new
        {
            name = marker,
            steps = new object[]
            {
                new { id = "prepare", type = "task", agent_id = "echo", description = $"{marker} prepare" },
                new
                {
                    id = Gate, type = "approval", title = $"Pay {marker}?",
                    approvers = new { roles = new[] { "approver" } }, quorum = 2, reject_quorum = 2,
                },
                new
                {
                    id = Paid, type = "task", agent_id = tenant.Provider, description, max_attempts = 20,
                    timeout_seconds = 60
                },
                new { id = "end", type = "task", agent_id = "echo", description = "{{ steps.pay.output }}" },
            },
        });
        var answer = await client.SendAsync(request, over);
        var workflow = new SentWorkflow(tenant, marker, answer is { Status: 201 } ? answer.Id : null);
        recorder.Workflows.Enqueue(workflow);
        if (workflow.Id is { } id)
            await FollowAsync(workflow, id, decision, over);
        else if (answer is not null)
            recorder.Wonder($"a workflow was answered {answer.Status}: {answer.Body}");
    }

    /// <summary>Decides whenever it waits, until it has ended.</summary>
    private async Task FollowAsync(SentWorkflow workflow, Guid id, string decision, CancellationToken over)
    {
        var decided = 0;
        while (!over.IsCancellationRequested)
        {
            if ((await client.ReadAsync(workflow.Tenant, $"/api/workflows/{id}", over))?.Json is { } now)
            {
                var run = now.GetProperty("run").GetInt32();
                switch (now.GetProperty("status").GetString())
                {
                    case "waiting" when run > decided:
                        await DecideAsync(workflow, id, run, decision, over);
                        decided = run;
                        break;
                    case "failed" when workflow.Retries == 0 && HasFailed(now, Paid):
                        if (await client.SendAsync(
                            Request.Post(workflow.Tenant, $"/api/workflows/{id}/retry-from-step/{Paid}", new { }), over)
                            is { Status: 202 })
                        {
                            workflow.Retries++;
                        }

                        break;
                    case "completed" or "failed" or "cancelled":
                        return;
                }
            }

            await Task.Delay(500, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// All three at once, each of them twice now and then: two count, and the third comes too late or counts as well.
    /// </summary>
    private Task DecideAsync(SentWorkflow workflow, Guid id, int run, string decision, CancellationToken over)
    {
        var people = Enumerable.Range(0, workflow.Tenant.ApproverKeys.Count).SelectMany(
            person => Enumerable.Repeat(person, Random.Shared.Next(1, 3)));
        return Task.WhenAll(people.Select(async person =>
        {
            await Task.Delay(Random.Shared.Next(200), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var answer = await client.SendAsync(
                Request.Post(
                    workflow.Tenant, $"/api/workflows/{id}/gates/{Gate}/decisions", new { decision },
                    workflow.Tenant.ApproverKeys[person]), over);
            if (answer is { Status: 200 })
                workflow.Decisions.Enqueue((answer.Json.GetProperty("run").GetInt32(), person, decision));
            else if (answer is not null && answer.Status != 409)
                recorder.Wonder($"a decision about {id}, run {run}, was answered {answer.Status}: {answer.Body}");
        }));
    }

    private static bool HasFailed(
        JsonElement workflow, string step) => workflow.GetProperty("steps").EnumerateArray().Any(each =>
        each.GetProperty("id").GetString() == step && each.GetProperty("status").GetString() == "failed");
}
