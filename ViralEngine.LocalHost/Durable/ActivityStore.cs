using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Stores answers of activities whose orchestration this process does not hold.</summary>
internal sealed class ActivityStore(DurableDatabase database)
{
    /// <summary>
    /// An answer counts only while this process holds the activity's lease; otherwise another process runs it again.
    /// </summary>
    public async Task<IReadOnlyList<bool>> AnswerAsync(
        long workerId,
        IReadOnlyList<ActivityAnswer> answers,
        CancellationToken ct)
    {
        await using var batch = database.Batch(
            Statement(
                """
                SELECT count(*)
                FROM (
                    SELECT FROM local_durable.instances
                    WHERE instance_id = ANY ($1)
                    ORDER BY instance_id
                    FOR NO KEY UPDATE
                ) AS locked
                """,
                Parameter.Column(answers, answer => answer.Work.InstanceId)),
            Statement(
                """
                WITH done AS (
                    DELETE FROM local_durable.activities a
                    USING unnest($2::text[], $3::uuid[], $4::int[], $5::text[])
                        AS s (instance_id, execution_id, task_id, event)
                    WHERE a.instance_id = s.instance_id
                        AND a.execution_id = s.execution_id
                        AND a.task_id = s.task_id
                        AND a.lease_owner = $1
                    RETURNING s.instance_id, s.execution_id, s.event
                ),
                sent AS (
                    INSERT INTO local_durable.inbox (instance_id, execution_id, event)
                    SELECT done.instance_id, done.execution_id, done.event
                    FROM done
                    JOIN local_durable.instances i USING (instance_id, execution_id)
                    WHERE i.status IN (0, 6, 7)
                    RETURNING instance_id
                )
                UPDATE local_durable.instances i
                SET due_at = LEAST(i.due_at, now())
                WHERE i.instance_id IN (SELECT instance_id FROM sent)
                """,
                Parameter.Of(workerId),
                Parameter.Column(answers, answer => answer.Work.InstanceId),
                Parameter.Column(answers, answer => answer.Work.ExecutionId),
                Parameter.Column(answers, answer => answer.Work.TaskId),
                Parameter.Column(answers, answer => DurableJson.Write(answer.Event))));
        await batch.ExecuteNonQueryAsync(ct);
        return new bool[answers.Count];
    }
}

/// <summary>How an activity ended.</summary>
internal sealed record ActivityAnswer(ActivityWork Work, StoredEvent Event);
