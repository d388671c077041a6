-- Metrics. The statement that finishes tasks or batch items adds a row of what it finished: rows are only added, so that nobody who
-- finishes waits for another. A timer folds them into minutes, and minutes into hours and days.

-- A duration's bucket of a logarithmic histogram whose relative error is at most 2 % (after DDSketch, Masson, Rim and Lee, VLDB 2019).
CREATE FUNCTION viral.latency_bucket(seconds double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ceil(ln(GREATEST(seconds, 0.001) / 0.001) / ln(1.02 / 0.98))::integer;

CREATE TABLE viral.metric_points (
    tenant_id uuid NOT NULL,
    at timestamptz NOT NULL,
    agent_id text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    completed integer NOT NULL,
    failed integer NOT NULL,
    retried integer NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd numeric(18, 9) NOT NULL,
    -- The bucket of each, and the sum of their logarithms.
    latencies integer[] NOT NULL,
    latency_log_sum double precision NOT NULL
);
CREATE INDEX metric_points_at ON viral.metric_points (at);
CALL viral.isolate('viral.metric_points');
ALTER TABLE viral.metric_points SET (autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE viral.metric_rollups (
    tenant_id uuid NOT NULL,
    step text NOT NULL,
    at timestamptz NOT NULL,
    agent_id text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    completed bigint NOT NULL,
    failed bigint NOT NULL,
    retried bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd numeric(18, 9) NOT NULL,
    -- Sparse: bucket, count, bucket, count, …, by bucket.
    latencies bigint[] NOT NULL,
    latency_count bigint NOT NULL,
    latency_log_sum double precision NOT NULL,
    -- How long the oldest task that was due had waited, in seconds; only in the rows of the organization as a whole.
    queue_age double precision,
    PRIMARY KEY (tenant_id, step, at, agent_id, provider, model),
    CONSTRAINT metric_rollups_step_known CHECK (step IN ('minute', 'hour', 'day'))
);
CREATE INDEX metric_rollups_age ON viral.metric_rollups (step, at);
CALL viral.isolate('viral.metric_rollups');

-- How far minutes were folded and judged, and hours and days rolled up. One row each: who works on it holds it.
CREATE TABLE viral.metric_progress (
    name text PRIMARY KEY,
    until timestamptz NOT NULL
);
INSERT INTO viral.metric_progress (name, until) VALUES
    ('minute', date_trunc('minute', now())), ('hour', date_trunc('hour', now())), ('day', date_trunc('day', now(), 'UTC'));
GRANT SELECT ON viral.metric_progress TO viral_app;
GRANT SELECT, UPDATE ON viral.metric_progress TO viral_sweeper;
-- It is no tenant's: all may read it, and the sweep moves it on.
ALTER TABLE viral.metric_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE viral.metric_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON viral.metric_progress FOR SELECT USING (true);
CREATE POLICY sweeper_moves ON viral.metric_progress FOR UPDATE TO viral_sweeper USING (true);

-- Two sparse histograms as one.
CREATE FUNCTION viral.add_histograms(a bigint[], b bigint[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT COALESCE(array_agg(part.value ORDER BY merged.bucket, part.place), '{}')
    FROM (
        SELECT pair.bucket, sum(pair.count)::bigint AS count
        FROM (
            SELECT a[i] AS bucket, a[i + 1] AS count FROM generate_series(1, cardinality(a) - 1, 2) AS i
            UNION ALL
            SELECT b[i], b[i + 1] FROM generate_series(1, cardinality(b) - 1, 2) AS i
        ) AS pair
        GROUP BY pair.bucket
    ) AS merged
    CROSS JOIN LATERAL (VALUES (1, merged.bucket), (2, merged.count)) AS part (place, value)
$$;

CREATE AGGREGATE viral.sum_histograms(bigint[]) (SFUNC = viral.add_histograms, STYPE = bigint[], INITCOND = '{}');

CREATE FUNCTION viral.record_task_metrics() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM inserted WHERE type IN ('task.completed', 'task.failed', 'task.retrying')) THEN
        RETURN NULL;
    END IF;

    -- LATERAL and LIMIT: each task is found by its key, whatever the planner thinks of how many there are.
    INSERT INTO viral.metric_points (
        tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens, cost_usd, latencies,
        latency_log_sum)
    SELECT ended.tenant_id, date_trunc('minute', max(ended.created_at)), task.agent_id, COALESCE(agent.kind, task.agent_id),
           COALESCE(agent.model, ''),
           count(*) FILTER (WHERE ended.type = 'task.completed'),
           count(*) FILTER (WHERE ended.type = 'task.failed'),
           count(*) FILTER (WHERE ended.type = 'task.retrying'),
           COALESCE(sum(task.input_tokens) FILTER (WHERE ended.type = 'task.completed'), 0),
           COALESCE(sum(task.output_tokens) FILTER (WHERE ended.type = 'task.completed'), 0),
           COALESCE(sum(task.cost_usd) FILTER (WHERE ended.type = 'task.completed'), 0),
           COALESCE(array_agg(viral.latency_bucket(span.seconds)) FILTER (WHERE ended.type = 'task.completed'), '{}'),
           COALESCE(sum(ln(GREATEST(span.seconds, 0.001))) FILTER (WHERE ended.type = 'task.completed'), 0)
    FROM inserted AS ended
    CROSS JOIN LATERAL (
        SELECT tasks.agent_id, tasks.input_tokens, tasks.output_tokens, tasks.cost_usd, tasks.started_at
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
    WHERE ended.type IN ('task.completed', 'task.failed', 'task.retrying')
    GROUP BY ended.tenant_id, task.agent_id, agent.kind, agent.model;
    RETURN NULL;
END
$$;
CREATE TRIGGER record_task_metrics AFTER INSERT ON viral.events
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION viral.record_task_metrics();

-- An item has no time at which it began: latencies are those of tasks.
CREATE FUNCTION viral.record_item_metrics() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO viral.metric_points (
        tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens, cost_usd, latencies,
        latency_log_sum)
    SELECT settled.tenant_id, date_trunc('minute', now()), named.agent_id, COALESCE(agent.kind, named.agent_id),
           COALESCE(agent.model, ''), settled.completed, settled.failed, settled.retried, settled.input_tokens, settled.output_tokens,
           settled.cost_usd, '{}', 0
    FROM (
        SELECT item.tenant_id, item.batch_id, item.agent_id,
               count(*) FILTER (WHERE item.status = 'completed') AS completed,
               count(*) FILTER (WHERE item.status = 'failed') AS failed,
               count(*) FILTER (WHERE item.status = 'pending') AS retried,
               COALESCE(sum(item.input_tokens), 0) AS input_tokens,
               COALESCE(sum(item.output_tokens), 0) AS output_tokens,
               COALESCE(sum(item.cost_usd), 0) AS cost_usd
        FROM settled AS item
        WHERE (item.status IN ('completed', 'failed') AND item.completed_at = now())
           OR (item.status = 'pending' AND item.error IS NOT NULL)
        GROUP BY item.tenant_id, item.batch_id, item.agent_id
    ) AS settled
    CROSS JOIN LATERAL (
        SELECT COALESCE(settled.agent_id, (
            SELECT batch.agent_id
            FROM viral.batches AS batch
            WHERE batch.tenant_id = settled.tenant_id AND batch.id = settled.batch_id), '') AS agent_id
    ) AS named
    LEFT JOIN LATERAL (
        SELECT agents.kind, agents.settings ->> 'model' AS model
        FROM viral.agents
        WHERE agents.tenant_id = settled.tenant_id
          AND agents.id = CASE WHEN length(named.agent_id) = 36 THEN named.agent_id::uuid END
        LIMIT 1
    ) AS agent ON true;
    RETURN NULL;
END
$$;
CREATE TRIGGER record_item_metrics AFTER UPDATE ON viral.batch_items
    REFERENCING NEW TABLE AS settled
    FOR EACH STATEMENT EXECUTE FUNCTION viral.record_item_metrics();
