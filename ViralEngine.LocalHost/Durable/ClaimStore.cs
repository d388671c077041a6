using Npgsql;
using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Takes leases on what is due, and reads what it needs.</summary>
internal sealed class ClaimStore(DurableDatabase database)
{
    /// <summary>
    /// Claims due instances, the longest overdue first, and queued activities in the order of the queue.
    /// </summary>
    public async Task<Claim> ClaimAsync(long workerId, int instances, int activities, CancellationToken ct)
    {
        await using var batch = database.Batch(
            Statement(
                """
                WITH due AS (
                    SELECT instance_id
                    FROM local_durable.instances
                    WHERE due_at <= now() AND (lease_owner IS NULL OR lease_owner = $1)
                    ORDER BY due_at
                    LIMIT $2
                    FOR NO KEY UPDATE SKIP LOCKED
                )
                UPDATE local_durable.instances i
                SET lease_owner = $1, due_at = NULL, claim_no = i.claim_no + 1
                FROM due
                WHERE i.instance_id = due.instance_id
                RETURNING
                    i.instance_id,
                    i.execution_id,
                    i.name,
                    i.version,
                    i.input,
                    i.parent_id,
                    i.parent_execution_id,
                    i.parent_name,
                    i.parent_task_id,
                    i.trace_parent,
                    i.status,
                    i.seq,
                    i.claim_no
                """,
                Parameter.Of(workerId),
                Parameter.Of(instances)),
            Statement(
                """
                WITH queued AS (
                    SELECT instance_id, execution_id, task_id
                    FROM local_durable.activities
                    WHERE lease_owner IS NULL
                    ORDER BY queue_at
                    LIMIT $2
                    FOR UPDATE SKIP LOCKED
                )
                UPDATE local_durable.activities a
                SET lease_owner = $1
                FROM queued q
                WHERE a.instance_id = q.instance_id
                    AND a.execution_id = q.execution_id
                    AND a.task_id = q.task_id
                RETURNING a.instance_id, a.execution_id, a.task_id, a.name, a.input, a.trace_parent
                """,
                Parameter.Of(workerId),
                Parameter.Of(activities)),
            Statement("SELECT min(due_at), now() FROM local_durable.instances WHERE due_at > now()"));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var claimed = new List<ClaimedInstance>();
        while (await reader.ReadAsync(ct)) claimed.Add(ReadInstance(reader));
        await reader.NextResultAsync(ct);
        var work = new List<ActivityWork>();
        while (await reader.ReadAsync(ct)) work.Add(ReadActivity(reader));
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        return new(claimed, work, reader.IsDBNull(0) ? null : reader.GetDateTime(0), reader.GetDateTime(1));
    }

    /// <summary>Reads the inboxes of these instances, and the histories of those that are not in memory.</summary>
    public async Task LoadAsync(IReadOnlyList<LiveInstance> instances, CancellationToken ct)
    {
        var byId = instances.ToDictionary(instance => instance.Id, StringComparer.Ordinal);
        var unknown = instances.Where(instance => instance is { History: null, Seq: > 0 }).ToList();
        await using var batch = database.Batch(
            Statement(
                """
                SELECT instance_id, message_id, execution_id, event
                FROM local_durable.inbox
                WHERE instance_id = ANY ($1)
                ORDER BY message_id
                """,
                Parameter.Column(instances, instance => instance.Id)));
        if (unknown.Count > 0)
        {
            batch.BatchCommands.Add(Statement(
                """
                SELECT h.instance_id, h.events
                FROM unnest($1::text[], $2::uuid[]) AS wanted (instance_id, execution_id)
                JOIN local_durable.history h USING (instance_id, execution_id)
                ORDER BY h.instance_id, h.seq
                """,
                Parameter.Column(unknown, instance => instance.Id),
                Parameter.Column(unknown, instance => instance.Start.ExecutionId)));
        }

        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var arrival = new Arrival(
                DurableJson.ReadEvent(reader.GetString(3)),
                reader.IsDBNull(2) ? null : reader.GetGuid(2),
                reader.GetInt64(1));
            var instance = byId[reader.GetString(0)];
            lock (instance.Gate) instance.Arrived.Add(arrival);
        }

        foreach (var instance in unknown) instance.History = [];
        if (!await reader.NextResultAsync(ct)) return;
        while (await reader.ReadAsync(ct))
            byId[reader.GetString(0)].History!.AddRange(DurableJson.ReadStep(reader.GetString(1)));
    }

    private static ClaimedInstance ReadInstance(NpgsqlDataReader reader)
    {
        var parent = reader.IsDBNull(5)
            ? null
            : new ParentCall(reader.GetString(5), reader.GetGuid(6), reader.GetString(7), reader.GetInt32(8));
        var start = new OrchestrationStart(
            reader.GetString(0),
            reader.GetGuid(1),
            reader.GetString(2),
            Text(reader, 3),
            Text(reader, 4),
            parent,
            Text(reader, 9));
        return new(start, reader.GetInt16(10), reader.GetInt32(11), reader.GetInt32(12));
    }

    private static ActivityWork ReadActivity(NpgsqlDataReader reader) => new(
        reader.GetString(0),
        reader.GetGuid(1),
        reader.GetInt32(2),
        reader.GetString(3),
        Text(reader, 4),
        Text(reader, 5));

    private static string? Text(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);
}

/// <param name="Instances">Instances now leased by this process.</param>
/// <param name="Activities">Activities now leased by this process.</param>
/// <param name="NextDue">When the next instance is due; null when none is.</param>
/// <param name="Now">By the database's clock.</param>
internal sealed record Claim(
    IReadOnlyList<ClaimedInstance> Instances,
    IReadOnlyList<ActivityWork> Activities,
    DateTime? NextDue,
    DateTime Now);

internal sealed record ClaimedInstance(OrchestrationStart Start, short Status, int Seq, int ClaimNo);

/// <summary>An activity to run.</summary>
internal sealed record ActivityWork(
    string InstanceId,
    Guid ExecutionId,
    int TaskId,
    string Name,
    string? Input,
    string? TraceParent);
