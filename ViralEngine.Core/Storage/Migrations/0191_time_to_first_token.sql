-- The time to the first token of tasks: the bucket of each, and a sparse histogram, as latencies are kept.
ALTER TABLE viral.metric_points ADD COLUMN first_tokens integer[] NOT NULL DEFAULT '{}';
ALTER TABLE viral.metric_rollups ADD COLUMN first_tokens bigint[] NOT NULL DEFAULT '{}';

-- Buckets as a sparse histogram: bucket, count, bucket, count, …, by bucket.
CREATE FUNCTION viral.histogram_of(buckets integer[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT COALESCE(array_agg(part.value ORDER BY counted.bucket, part.place), '{}')
    FROM (SELECT bucket, count(*) AS count FROM unnest(buckets) AS bucket GROUP BY bucket) AS counted
    CROSS JOIN LATERAL (VALUES (1, counted.bucket::bigint), (2, counted.count)) AS part (place, value)
$$;

CREATE OR REPLACE FUNCTION viral.record_task_metrics() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM inserted WHERE type IN ('task.completed', 'task.failed', 'task.retrying') OR data ? 'attempt_usage') THEN
        RETURN NULL;
    END IF;

    -- LATERAL and LIMIT: each task is found by its key, whatever the planner thinks of how many there are.
    INSERT INTO viral.metric_points (
        tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens, cost_usd, latencies,
        latency_log_sum, first_tokens)
    SELECT ended.tenant_id, date_trunc('minute', max(ended.created_at)), task.agent_id, COALESCE(agent.kind, task.agent_id),
           COALESCE(agent.model, ''),
           count(*) FILTER (WHERE ended.type = 'task.completed'),
           count(*) FILTER (WHERE ended.type = 'task.failed'),
           count(*) FILTER (WHERE ended.type = 'task.retrying'),
           COALESCE(sum((ended.data #>> '{attempt_usage,input_tokens}')::bigint), 0),
           COALESCE(sum((ended.data #>> '{attempt_usage,output_tokens}')::bigint), 0),
           COALESCE(sum((ended.data #>> '{attempt_usage,cost_usd}')::numeric), 0),
           COALESCE(array_agg(viral.latency_bucket(span.seconds)) FILTER (WHERE ended.type = 'task.completed'), '{}'),
           COALESCE(sum(ln(GREATEST(span.seconds, 0.001))) FILTER (WHERE ended.type = 'task.completed'), 0),
           COALESCE(
               array_agg(viral.latency_bucket((ended.data ->> 'time_to_first_token_seconds')::double precision))
                   FILTER (WHERE ended.data ? 'time_to_first_token_seconds'),
               '{}')
    FROM inserted AS ended
    CROSS JOIN LATERAL (
        SELECT tasks.agent_id, tasks.started_at
        FROM viral.tasks
        WHERE tasks.tenant_id = ended.tenant_id AND tasks.id = ended.subject_id
        LIMIT 1
    ) AS task
    LEFT JOIN LATERAL (
        SELECT agents.kind, agents.settings ->> 'model' AS model
        FROM viral.agents
        WHERE agents.tenant_id = ended.tenant_id
          AND agents.id = CASE WHEN length(task.agent_id) = 36 THEN task.agent_id::uuid END
        LIMIT 1
    ) AS agent ON true
    LEFT JOIN LATERAL (
        SELECT events.created_at
        FROM viral.events
        WHERE events.tenant_id = ended.tenant_id AND events.subject_id = ended.subject_id AND events.number < ended.number
          AND events.type = 'task.started'
        ORDER BY events.number DESC
        LIMIT 1
    ) AS begun ON true
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM ended.created_at - COALESCE(begun.created_at, task.started_at, ended.created_at))::double precision AS seconds
    ) AS span
    WHERE ended.type IN ('task.completed', 'task.failed', 'task.retrying') OR ended.data ? 'attempt_usage'
    GROUP BY ended.tenant_id, task.agent_id, agent.kind, agent.model;
    RETURN NULL;
END
$$;
