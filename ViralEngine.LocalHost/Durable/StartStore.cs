using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Stores requests to start orchestrations.</summary>
internal sealed class StartStore(DurableDatabase database)
{
    /// <summary>
    /// Ends an insert into the instances: a new one takes the place of one that has finished. What the insert does not
    /// give is NULL.
    /// </summary>
    public const string TakingThePlace =
        """
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
            tags = EXCLUDED.tags,
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
        """;

    /// <summary>
    /// Starts all whose id is free; of an earlier instance that has finished, the new one takes the place.
    /// </summary>
    /// <returns>For each, in order, whether it was started.</returns>
    public async Task<IReadOnlyList<bool>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct)
    {
        await using var batch = database.Batch(
            Statement(
                $"""
                WITH started AS (
                    INSERT INTO local_durable.instances (
                        instance_id, execution_id, name, version, status, input, tags, trace_parent,
                        created_at, updated_at, due_at, lease_owner)
                    SELECT
                        s.instance_id, s.execution_id, s.name, s.version, 6, s.input, s.tags, s.trace_parent,
                        now(), now(),
                        CASE WHEN s.lease_owner IS NULL THEN COALESCE(s.start_at, now()) END,
                        s.lease_owner
                    FROM unnest(
                        $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                        $8::timestamptz[], $9::bigint[], $10::text[])
                        AS s (
                            instance_id, execution_id, name, version, input, tags, trace_parent,
                            start_at, lease_owner, dedupe)
                    WHERE NOT EXISTS (
                        SELECT FROM local_durable.instances old
                        WHERE old.instance_id = s.instance_id AND old.status = ANY (s.dedupe::smallint[]))
                    ORDER BY s.instance_id
                    {TakingThePlace}
                ), forgotten AS (
                    DELETE FROM local_durable.history h
                    USING started s
                    WHERE s.replaced AND h.instance_id = s.instance_id AND h.execution_id <> s.execution_id
                )
                SELECT execution_id
                FROM started
                """,
                Parameter.Column(starts, start => start.Start.InstanceId),
                Parameter.Column(starts, start => start.Start.ExecutionId),
                Parameter.Column(starts, start => start.Start.Name),
                Parameter.Column(starts, start => start.Start.Version),
                Parameter.Column(starts, start => start.Start.Input),
                Parameter.Column(starts, start => start.Tags),
                Parameter.Column(starts, start => start.Start.TraceParent),
                Parameter.Column(starts, start => start.StartAt),
                Parameter.Column(starts, start => start.LeaseOwner),
                Parameter.Column(starts, start => start.Dedupe)));
        var started = new HashSet<Guid>();
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) started.Add(reader.GetGuid(0));
        return [.. starts.Select(start => started.Contains(start.Start.ExecutionId))];
    }
}

/// <param name="Start">What to start.</param>
/// <param name="StartAt">Not before; UTC.</param>
/// <param name="Tags">JSON object; null for none.</param>
/// <param name="Dedupe">Finished statuses that refuse the start, as a PostgreSQL array of their numbers.</param>
internal sealed record StartRequest(OrchestrationStart Start, DateTime? StartAt, string? Tags, string Dedupe)
{
    /// <summary>The session that begins it at once; null when it waits to be claimed.</summary>
    public EngineSession? Session { get; set; }

    public long? LeaseOwner => Session?.WorkerId;
}
