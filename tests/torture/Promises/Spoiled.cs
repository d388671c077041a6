using Npgsql;
using ViralEngine.Torture.Load;
using ViralEngine.Torture.Outside;
using ViralEngine.Torture.Stack;

namespace ViralEngine.Torture.Promises;

/// <summary>
/// Tries the checks themselves: the history of the run is spoiled in one place after the other, and the promise that
/// this breaks must be seen to be broken. Nothing of it stays.
/// </summary>
internal static class Spoiled
{
    private static readonly (string Promise, string Sql)[] InDatabase =
    [
        ("accepted is not lost",
            """
            WITH gone AS (DELETE FROM viral.tasks
                WHERE id = (SELECT id FROM viral.tasks WHERE workflow_id IS NULL LIMIT 1) RETURNING id)
            DELETE FROM viral.events WHERE subject_id = (SELECT id FROM gone)
            """),
        ("one key, one resource",
            """
            UPDATE viral.tasks AS task
            SET description = other.description
            FROM (SELECT tenant_id, id, description FROM viral.tasks WHERE workflow_id IS NULL LIMIT 1) AS other
            WHERE task.tenant_id = other.tenant_id AND task.workflow_id IS NULL AND task.id <> other.id
            """),
        ("everything accepted comes to its end",
            "UPDATE viral.tasks SET status = 'pending', completed_at = NULL "
            + "WHERE id = (SELECT id FROM viral.tasks WHERE status = 'failed' LIMIT 1)"),
        ("finished is finished once",
            """
            WITH twice AS (
                UPDATE viral.tasks SET last_event = last_event + 1
                WHERE id = (SELECT id FROM viral.tasks WHERE status = 'completed' LIMIT 1)
                RETURNING tenant_id, id, last_event
            )
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT tenant_id, id, last_event, 'task.completed', '{}', now() FROM twice
            """),
        ("events are numbered without a gap",
            "DELETE FROM viral.events WHERE type = 'task.started' "
            + "AND subject_id = (SELECT id FROM viral.tasks WHERE status = 'completed' LIMIT 1)"),
        ("each has the outcome and the answer it should have",
            "UPDATE viral.tasks SET result = result || '!' "
            + "WHERE id = (SELECT id FROM viral.tasks WHERE status = 'completed' AND workflow_id IS NULL LIMIT 1)"),
        ("a batch's counters are its items",
            "UPDATE viral.batch_lanes SET completed = completed + 1 "
            + "WHERE (batch_id, lane) = (SELECT batch_id, lane FROM viral.batch_lanes LIMIT 1)"),
        ("a decision counts once, and none that was accepted is lost",
            "DELETE FROM viral.approval_decisions "
            + "WHERE (gate, decider) = (SELECT gate, decider FROM viral.approval_decisions LIMIT 1)"),
        ("what stands behind a gate runs once for a decision",
            "UPDATE viral.tasks SET metadata = '{\"step\":\"pay\"}' "
            + "WHERE id = (SELECT id FROM viral.tasks WHERE metadata ->> 'step' = 'prepare' LIMIT 1)"),
        ("what a task says that it cost is what its calls cost",
            "UPDATE viral.tasks SET cost_usd = cost_usd * 2 "
            + "WHERE id = (SELECT id FROM viral.tasks WHERE status = 'completed' AND cost_usd > 0 LIMIT 1)"),
        ("money spent is calls times price", "UPDATE viral.spending SET spent_usd = spent_usd + 1000"),
        ("money set aside is that of the reservations there are",
            "UPDATE viral.spending SET reserved_usd = reserved_usd + 1 WHERE spent_usd > 0"),
        ("each event is told by a webhook at least once",
            "DELETE FROM viral.webhook_deliveries WHERE id = (SELECT id FROM viral.webhook_deliveries LIMIT 1)"),
    ];

    public static async Task CheckAsync(World world, Evidence evidence, Action<Evidence> check)
    {
        var seen = evidence.NewPromise("the checks see a history that is spoiled");
        await using var database = await world.OpenAsync(patience: 300);
        foreach (var (promise, sql) in InDatabase)
        {
            await using var transaction = await database.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(sql, database, transaction);
            var changed = await command.ExecuteNonQueryAsync();
            Try(
                promise,
                new Evidence(
                    evidence.Tenants, evidence.Recorder, await Rows.ReadAsync(database), evidence.Calls,
                    evidence.Webhooks, evidence.Timeline),
                changed);
            await transaction.RollbackAsync();
        }

        var webhook = evidence.Webhooks[0];
        TryWebhook("a webhook has one id, however often it comes", webhook with { Id = "msg_another" });
        TryWebhook("webhooks are signed", webhook with { Signature = "v1,AAAA" });
        TryWebhook(
            "no tenant is told of another's",
            webhook with { Tenant = evidence.Tenants.First(tenant => tenant.Name != webhook.Tenant).Name });
        // Of work that was run once: attempts begin at 1 again when it is run again.
        var single = evidence.Calls.Where(each => evidence.Rows.Tasks.GetValueOrDefault(each.Task) is not { Run: > 1 });
        if (single.FirstOrDefault(
            each => evidence.Timeline.Explains(each.Instance, each.Began, each.Began + 0.01) is null) is { } call)
        {
            Try(
                "a call is made again only where its work was lost",
                evidence.With(calls:
                [
                    .. evidence.Calls,
                    new ProviderCall(call.Tenant, call.Task, call.Attempt, "", 1, call.Began + 0.01)
                ]),
                1);
        }

        TryStream(
            "a stream gives each event once and in order, from any instance", stream => stream.Events.RemoveAt(0));
        TryStream(
            "what a reader puts together is the stored answer",
            stream => stream.Events.RemoveAll(item => item.Type == "token"));

        void TryWebhook(string promise, Received spoiled) => Try(
            promise, evidence.With(webhooks: [.. evidence.Webhooks, spoiled]), 1);

        void TryStream(string promise, Action<ReadStream> spoil)
        {
            var stream = evidence.Recorder.Streams.FirstOrDefault(stream => stream is { IsWhole: true }
                && stream.Kind == (promise.StartsWith("what", StringComparison.Ordinal) ? "stream-response" : "stream")
                && evidence.Rows.Tasks.GetValueOrDefault(stream.Task)?.Status == "completed");
            if (stream is null)
                return;
            var kept = stream.Events.ToList();
            spoil(stream);
            Try(promise, evidence.With(), 1);
            stream.Events.Clear();
            stream.Events.AddRange(kept);
        }

        void Try(string promise, Evidence spoiled, int changed)
        {
            check(spoiled);
            var before = evidence.Promises.Single(each => each.Name == promise).Violations.Count;
            seen.Expect(
                changed > 0 && spoiled.Promises.Single(each => each.Name == promise).Violations.Count > before,
                () => changed > 0
                    ? $"'{promise}' was broken on purpose, and its check did not see it"
                    : $"there was nothing to break '{promise}' with");
        }
    }
}
