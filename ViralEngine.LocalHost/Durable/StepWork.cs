using Npgsql;
using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>What committed steps set in motion: activities, sub-orchestrations and messages.</summary>
internal static class StepWork
{
    // A fan-out queues in slices of 32 that lie 20 ms apart, so that what others schedule meanwhile is not behind it
    // all.
    public static IEnumerable<(ActivityWork Work, bool Local, int Delay)> ActivityRows(StepCommit step) =>
        step.Activities.Select((row, index) => (row.Work, row.Local, index / 32 * 20));

    public static NpgsqlBatchCommand? Schedule(
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
    public static IEnumerable<NpgsqlBatchCommand> StartChildren(long workerId, Guid commitId, List<ChildRow> rows)
    {
        if (rows.Count == 0) yield break;
        yield return Statement(
            $"""
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
                {StartStore.TakingThePlace}
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

    public static IEnumerable<NpgsqlBatchCommand> Send(Guid commitId, List<OutgoingMessage> messages)
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
}

/// <summary>A sub-orchestration that a step starts.</summary>
internal sealed record ChildRow(StepCommit Parent, OrchestrationAction.CallOrchestrator Call, bool Local)
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
