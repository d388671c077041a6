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
        Add(batch, StepWork.Schedule(workerId, commitId, [.. steps.SelectMany(StepWork.ActivityRows)]));
        foreach (var statement in StepWork.StartChildren(workerId, commitId, children)) batch.BatchCommands.Add(
            statement);
        foreach (var statement in StepWork.Send(commitId, messages)) batch.BatchCommands.Add(statement);

        await using var reader = await batch.ExecuteReaderAsync(ct);
        for (var i = 0; i < advance; i++) await reader.NextResultAsync(ct);
        var committed = new Dictionary<string, CommittedStep>(steps.Count, StringComparer.Ordinal);
        while (await reader.ReadAsync(ct))
            committed.Add(
                reader.GetString(0), new(reader.GetBoolean(1), reader.IsDBNull(2) ? null : reader.GetDateTime(2)));
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
            committed.Add(
                reader.GetString(0), new(reader.GetBoolean(1), reader.IsDBNull(2) ? null : reader.GetDateTime(2)));
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

    private static NpgsqlBatchCommand Advance(
        long workerId, Guid commitId, IReadOnlyList<StepCommit> steps) => Statement(
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

    private static NpgsqlBatchCommand? Consume(Guid commitId, List<(string InstanceId, long Id)> rows) =>
        rows.Count == 0
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

    private static void Add(NpgsqlBatch batch, NpgsqlBatchCommand? statement)
    {
        if (statement is not null) batch.BatchCommands.Add(statement);
    }
}

/// <param name="Owned">Whether this process still has the lease.</param>
/// <param name="DueAt">When the instance is due; null when nothing is.</param>
internal readonly record struct CommittedStep(bool Owned, DateTime? DueAt);
