using Npgsql;
using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Commits many steps in one transaction and one round trip.</summary>
internal sealed class StepStore(DurableDatabase database)
{
    /// <summary>
    /// Stores the steps of those instances that this process still has leased and that stand where the step began.
    /// Returns these; the others changed nothing.
    /// </summary>
    public async Task<Dictionary<string, CommittedStep>> CommitAsync(
        long workerId,
        Guid commitId,
        IReadOnlyList<StepCommit> steps,
        CancellationToken ct)
    {
        var messages = steps.SelectMany(step => step.Messages()).ToList();
        var children = steps
            .SelectMany(step => step.Children, (step, child) => new ChildRow(step, child.Call, child.Local))
            .ToList();
        await using var batch = database.Batch();
        Add(batch, Lock(steps, messages, children));
        var advance = batch.BatchCommands.Count;
        Add(batch, Advance(workerId, commitId, [.. steps.OrderBy(step => step.InstanceId, StringComparer.Ordinal)]));
        Add(batch, History(commitId, [.. steps.Where(step => step.HistoryRow.Count > 0)]));
        Add(batch, ForgetHistory(commitId, [.. steps.Where(step => step.Restarted)]));
        Add(batch, ForgetInbox(commitId, [.. steps.Where(step => step.Finished)]));
        Add(batch, Consume(commitId, [.. steps.SelectMany(
            step => step.Finished ? [] : step.ConsumedMessages,
            (step, id) => (step.InstanceId, id))]));
        Add(batch, Answered(workerId, commitId, [.. steps.SelectMany(
            step => step.ConsumedActivities,
            (step, done) => (step.InstanceId, done.ExecutionId, done.TaskId))]));
        Add(batch, Schedule(workerId, commitId, [.. steps.SelectMany(step => ActivityRows(step))]));
        foreach (var statement in StartChildren(workerId, commitId, children)) batch.BatchCommands.Add(statement);
        foreach (var statement in Send(commitId, messages)) batch.BatchCommands.Add(statement);

        await using var reader = await batch.ExecuteReaderAsync(ct);
        for (var i = 0; i < advance; i++) await reader.NextResultAsync(ct);
        var committed = new Dictionary<string, CommittedStep>(steps.Count, StringComparer.Ordinal);
        while (await reader.ReadAsync(ct))
            committed.Add(reader.GetString(0), new(reader.GetBoolean(1), reader.IsDBNull(2) ? null : reader.GetDateTime(2)));
        // Read to the end to see errors of later statements.
        while (await reader.NextResultAsync(ct))
        {
        }

        return committed;
    }

    /// <summary>Which steps a commit stored whose answer was lost.</summary>
    public async Task<Dictionary<string, CommittedStep>> CommittedAsync(
        long workerId,
        Guid commitId,
        IReadOnlyList<StepCommit> steps,
        CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            SELECT instance_id, lease_owner IS NOT DISTINCT FROM $3, due_at
            FROM local_durable.instances
            WHERE instance_id = ANY ($1) AND commit_id = $2
            """);
        command.Parameters.Add(Parameter.Column(steps, step => step.InstanceId));
        command.Parameters.Add(Parameter.Of(commitId));
        command.Parameters.Add(Parameter.Of(workerId));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var committed = new Dictionary<string, CommittedStep>(StringComparer.Ordinal);
        while (await reader.ReadAsync(ct))
            committed.Add(reader.GetString(0), new(reader.GetBoolean(1), reader.IsDBNull(2) ? null : reader.GetDateTime(2)));
        return committed;
    }

    // All rows that the transaction may touch, in one order, so that two transactions never wait for each other. The
    // statements after it see what those have committed that it waited for. Where only the steps' own rows are touched,
    // updating them in that order is enough.
    private static NpgsqlBatchCommand? Lock(
        IReadOnlyList<StepCommit> steps,
        List<OutgoingMessage> messages,
        List<ChildRow> children)
    {
        if (messages.Count == 0 && children.Count == 0) return null;
        List<string> all =
        [
            .. steps.Select(step => step.InstanceId),
            .. messages.Select(message => message.InstanceId),
            .. children.Select(child => child.Call.InstanceId),
        ];
        return Statement(
            """
            SELECT count(*)
            FROM (
                SELECT FROM local_durable.instances
                WHERE instance_id = ANY ($1)
                ORDER BY instance_id
                FOR NO KEY UPDATE
            ) AS locked
            """,
            Parameter.Column(all, id => id));
    }

    private static NpgsqlBatchCommand Advance(long workerId, Guid commitId, IReadOnlyList<StepCommit> steps) => Statement(
        """
        UPDATE local_durable.instances i
        SET execution_id = s.execution_id,
            seq = s.seq,
            status = s.status,
            input = CASE WHEN s.restarted THEN s.input ELSE i.input END,
            version = CASE WHEN s.restarted THEN s.version ELSE i.version END,
            output = s.output,
            failure = s.failure,
            custom_status = CASE WHEN s.custom_status_set THEN s.custom_status ELSE i.custom_status END,
            updated_at = now(),
            due_at = CASE WHEN NOT s.finished THEN LEAST(i.due_at, s.due_at) END,
            lease_owner = CASE WHEN NOT s.finished AND (s.keep OR i.claim_no <> s.claim_no) THEN i.lease_owner END,
            commit_id = $2
        FROM unnest(
            $3::text[], $4::uuid[], $5::int[], $6::int[], $7::uuid[], $8::int[], $9::smallint[], $10::bool[],
            $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bool[], $17::timestamptz[],
            $18::bool[], $19::bool[])
            AS s (
                instance_id, old_execution_id, old_seq, claim_no, execution_id, seq, status, restarted,
                input, version, output, failure, custom_status, custom_status_set, due_at,
                finished, keep)
        WHERE i.instance_id = s.instance_id
            AND i.lease_owner = $1
            AND i.execution_id = s.old_execution_id
            AND i.seq = s.old_seq
        RETURNING i.instance_id, i.lease_owner IS NOT NULL, i.due_at
        """,
        Parameter.Of(workerId),
        Parameter.Of(commitId),
        Parameter.Column(steps, step => step.InstanceId),
        Parameter.Column(steps, step => step.Before.ExecutionId),
        Parameter.Column(steps, step => step.SeqBefore),
        Parameter.Column(steps, step => step.ClaimNo),
        Parameter.Column(steps, step => step.After.ExecutionId),
        Parameter.Column(steps, step => step.SeqAfter),
        Parameter.Column(steps, step => step.StoredStatus),
        Parameter.Column(steps, step => step.Restarted),
        Parameter.Column(steps, step => step.Restarted ? step.After.Input : null),
        Parameter.Column(steps, step => step.Restarted ? step.After.Version : null),
        Parameter.Column(steps, step => step.Outcome.Output),
        Parameter.Column(steps, step => step.Outcome.Failure is { } failure
            ? DurableJson.Write(failure)
            : null),
        Parameter.Column(steps, step => step.CustomStatus),
        Parameter.Column(steps, step => step.CustomStatusSet),
        Parameter.Column(steps, step => step.DueAt),
        Parameter.Column(steps, step => step.Finished),
        Parameter.Column(steps, step => step.Keep));

    private static NpgsqlBatchCommand? History(Guid commitId, List<StepCommit> steps) => steps.Count == 0
        ? null
        : Statement(
            """
            INSERT INTO local_durable.history (instance_id, execution_id, seq, event_count, events)
            SELECT i.instance_id, i.execution_id, i.seq, s.event_count, s.events
            FROM unnest($2::text[], $3::int[], $4::text[]) AS s (instance_id, event_count, events)
            JOIN local_durable.instances i ON i.instance_id = s.instance_id AND i.commit_id = $1
            """,
            Parameter.Of(commitId),
            Parameter.Column(steps, step => step.InstanceId),
            Parameter.Column(steps, step => step.HistoryRow.Count),
            Parameter.Column(steps, step => DurableJson.Write(step.HistoryRow)));

    private static NpgsqlBatchCommand? ForgetHistory(Guid commitId, List<StepCommit> steps) => steps.Count == 0
        ? null
        : Statement(
            """
            DELETE FROM local_durable.history h
            USING local_durable.instances i
            WHERE i.instance_id = ANY ($2)
                AND i.commit_id = $1
                AND h.instance_id = i.instance_id
                AND h.execution_id <> i.execution_id
            """,
            Parameter.Of(commitId),
            Parameter.Column(steps, step => step.InstanceId));

    private static NpgsqlBatchCommand? ForgetInbox(Guid commitId, List<StepCommit> steps) => steps.Count == 0
        ? null
        : Statement(
            """
            DELETE FROM local_durable.inbox m
            USING local_durable.instances i
            WHERE i.instance_id = ANY ($2) AND i.commit_id = $1 AND m.instance_id = i.instance_id
            """,
            Parameter.Of(commitId),
            Parameter.Column(steps, step => step.InstanceId));

    private static NpgsqlBatchCommand? Consume(Guid commitId, List<(string InstanceId, long Id)> rows) => rows.Count == 0
        ? null
        : Statement(
            """
            DELETE FROM local_durable.inbox m
            USING unnest($2::text[], $3::bigint[]) AS s (instance_id, message_id)
            JOIN local_durable.instances i ON i.instance_id = s.instance_id AND i.commit_id = $1
            WHERE m.instance_id = s.instance_id AND m.message_id = s.message_id
            """,
            Parameter.Of(commitId),
            Parameter.Column(rows, row => row.InstanceId),
            Parameter.Column(rows, row => row.Id));

    private static NpgsqlBatchCommand? Answered(
        long workerId,
        Guid commitId,
        List<(string InstanceId, Guid ExecutionId, int TaskId)> rows) => rows.Count == 0
        ? null
        : Statement(
            """
            DELETE FROM local_durable.activities a
            USING unnest($3::text[], $4::uuid[], $5::int[]) AS s (instance_id, execution_id, task_id)
            JOIN local_durable.instances i ON i.instance_id = s.instance_id AND i.commit_id = $2
            WHERE a.instance_id = s.instance_id
                AND a.execution_id = s.execution_id
                AND a.task_id = s.task_id
                AND a.lease_owner = $1
            """,
            Parameter.Of(workerId),
            Parameter.Of(commitId),
            Parameter.Column(rows, row => row.InstanceId),
            Parameter.Column(rows, row => row.ExecutionId),
            Parameter.Column(rows, row => row.TaskId));

    // A fan-out queues in slices of 32 that lie 20 ms apart, so that what others schedule meanwhile is not behind it all.
    private static IEnumerable<(ActivityWork Work, bool Local, int Delay)> ActivityRows(StepCommit step) =>
        step.Activities.Select((row, index) => (row.Work, row.Local, index / 32 * 20));

    private static NpgsqlBatchCommand? Schedule(
        long workerId,
        Guid commitId,
        List<(ActivityWork Work, bool Local, int Delay)> rows) => rows.Count == 0
        ? null
        : Statement(
            """
            INSERT INTO local_durable.activities (
                instance_id, execution_id, task_id, name, input, trace_parent, queue_at, lease_owner)
            SELECT
                s.instance_id, s.execution_id, s.task_id, s.name, s.input, s.trace_parent,
                now() + s.delay_ms * interval '1 millisecond',
                CASE WHEN s.local THEN $1::bigint END
            FROM unnest(
                $3::text[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bool[])
                AS s (instance_id, execution_id, task_id, name, input, trace_parent, delay_ms, local)
            JOIN local_durable.instances i ON i.instance_id = s.instance_id AND i.commit_id = $2
            """,
            Parameter.Of(workerId),
            Parameter.Of(commitId),
            Parameter.Column(rows, row => row.Work.InstanceId),
            Parameter.Column(rows, row => row.Work.ExecutionId),
            Parameter.Column(rows, row => row.Work.TaskId),
            Parameter.Column(rows, row => row.Work.Name),
            Parameter.Column(rows, row => row.Work.Input),
            Parameter.Column(rows, row => row.Work.TraceParent),
            Parameter.Column(rows, row => row.Delay),
            Parameter.Column(rows, row => row.Local));

    // A sub-orchestration whose id belongs to one that has not finished is refused, which its parent learns by message.
    private static IEnumerable<NpgsqlBatchCommand> StartChildren(long workerId, Guid commitId, List<ChildRow> rows)
    {
        if (rows.Count == 0) yield break;
        yield return Statement(
            """
            WITH started AS (
                INSERT INTO local_durable.instances (
                    instance_id, execution_id, name, version, status, input,
                    parent_id, parent_execution_id, parent_name, parent_task_id, trace_parent,
                    created_at, updated_at, due_at, lease_owner)
                SELECT DISTINCT ON (s.instance_id)
                    s.instance_id, s.execution_id, s.name, s.version, 6, s.input,
                    i.instance_id, s.parent_execution_id, i.name, s.parent_task_id, s.trace_parent,
                    now(), now(), CASE WHEN NOT s.local THEN now() END, CASE WHEN s.local THEN $1::bigint END
                FROM unnest(
                    $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                    $8::text[], $9::uuid[], $10::int[], $11::text[], $12::bool[])
                    AS s (
                        instance_id, execution_id, name, version, input,
                        parent_id, parent_execution_id, parent_task_id, trace_parent, local)
                JOIN local_durable.instances i ON i.instance_id = s.parent_id AND i.commit_id = $2
                ORDER BY s.instance_id, s.parent_task_id
                ON CONFLICT (instance_id) DO UPDATE
                SET execution_id = EXCLUDED.execution_id,
                    name = EXCLUDED.name,
                    version = EXCLUDED.version,
                    status = EXCLUDED.status,
                    seq = 0,
                    input = EXCLUDED.input,
                    output = NULL,
                    custom_status = NULL,
                    failure = NULL,
                    tags = NULL,
                    parent_id = EXCLUDED.parent_id,
                    parent_execution_id = EXCLUDED.parent_execution_id,
                    parent_name = EXCLUDED.parent_name,
                    parent_task_id = EXCLUDED.parent_task_id,
                    trace_parent = EXCLUDED.trace_parent,
                    created_at = EXCLUDED.created_at,
                    updated_at = EXCLUDED.updated_at,
                    due_at = EXCLUDED.due_at,
                    lease_owner = EXCLUDED.lease_owner
                WHERE instances.status NOT IN (0, 6, 7)
                RETURNING instance_id, execution_id, xmax <> 0 AS replaced
            )
            DELETE FROM local_durable.history h
            USING started s
            WHERE s.replaced AND h.instance_id = s.instance_id AND h.execution_id <> s.execution_id
            """,
            Parameter.Of(workerId),
            Parameter.Of(commitId),
            Parameter.Column(rows, row => row.Call.InstanceId),
            Parameter.Column(rows, row => row.Call.ExecutionId),
            Parameter.Column(rows, row => row.Call.Name),
            Parameter.Column(rows, row => row.Call.Version),
            Parameter.Column(rows, row => row.Call.Input),
            Parameter.Column(rows, row => row.Parent.InstanceId),
            Parameter.Column(rows, row => row.Parent.After.ExecutionId),
            Parameter.Column(rows, row => row.Call.Id),
            Parameter.Column(rows, row => row.Parent.TraceParent),
            Parameter.Column(rows, row => row.Local));
        yield return Statement(
            """
            WITH refused AS (
                INSERT INTO local_durable.inbox (instance_id, execution_id, event)
                SELECT p.instance_id, p.execution_id, s.event
                FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[])
                    AS s (instance_id, execution_id, parent_id, event)
                JOIN local_durable.instances p ON p.instance_id = s.parent_id AND p.commit_id = $1
                WHERE p.status IN (0, 6, 7) AND NOT EXISTS (
                    SELECT FROM local_durable.instances c
                    WHERE c.instance_id = s.instance_id AND c.execution_id = s.execution_id)
                RETURNING instance_id
            )
            UPDATE local_durable.instances i
            SET due_at = LEAST(i.due_at, now())
            FROM refused
            WHERE i.instance_id = refused.instance_id
            """,
            Parameter.Of(commitId),
            Parameter.Column(rows, row => row.Call.InstanceId),
            Parameter.Column(rows, row => row.Call.ExecutionId),
            Parameter.Column(rows, row => row.Parent.InstanceId),
            Parameter.Column(rows, row => DurableJson.Write(row.Refusal())));
    }

    private static IEnumerable<NpgsqlBatchCommand> Send(Guid commitId, List<OutgoingMessage> messages)
    {
        if (messages.Count == 0) yield break;
        yield return Statement(
            """
            WITH sent AS (
                INSERT INTO local_durable.inbox (instance_id, execution_id, event)
                SELECT s.instance_id, s.execution_id, s.event
                FROM unnest($2::text[], $3::text[], $4::uuid[], $5::text[])
                    WITH ORDINALITY AS s (sender_id, instance_id, execution_id, event, n)
                JOIN local_durable.instances sender ON sender.instance_id = s.sender_id AND sender.commit_id = $1
                JOIN local_durable.instances i
                    ON i.instance_id = s.instance_id
                    AND i.status IN (0, 6, 7)
                    AND (s.execution_id IS NULL OR i.execution_id = s.execution_id)
                ORDER BY s.n
                RETURNING instance_id
            )
            UPDATE local_durable.instances i
            SET due_at = LEAST(i.due_at, now())
            WHERE i.instance_id IN (SELECT instance_id FROM sent)
            """,
            Parameter.Of(commitId),
            Parameter.Column(messages, message => message.From.InstanceId),
            Parameter.Column(messages, message => message.InstanceId),
            Parameter.Column(messages, message => message.ExecutionId),
            Parameter.Column(messages, message => DurableJson.Write(message.Event)));
    }

    private static void Add(NpgsqlBatch batch, NpgsqlBatchCommand? statement)
    {
        if (statement is not null) batch.BatchCommands.Add(statement);
    }

    private sealed record ChildRow(StepCommit Parent, OrchestrationAction.CallOrchestrator Call, bool Local)
    {
        public StoredEvent Refusal() => new()
        {
            Kind = EventKind.SubOrchestrationFailed,
            Id = Call.Id,
            Failure = new(
                typeof(InvalidOperationException).FullName!,
                $"An orchestration with the id '{Call.InstanceId}' exists already and has not finished.",
                null,
                null),
        };
    }
}

/// <param name="Owned">Whether this process still has the lease.</param>
/// <param name="DueAt">When the instance is due; null when nothing is.</param>
internal readonly record struct CommittedStep(bool Owned, DateTime? DueAt);
