-- What a task or an item has used is the sum of its attempts: metrics count each attempt's, once, when it ends.
ALTER TABLE viral.metric_points ALTER COLUMN cost_usd TYPE numeric(30, 9);
ALTER TABLE viral.metric_rollups ALTER COLUMN cost_usd TYPE numeric(30, 9);

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
        latency_log_sum)
    SELECT ended.tenant_id, date_trunc('minute', max(ended.created_at)), task.agent_id, COALESCE(agent.kind, task.agent_id),
           COALESCE(agent.model, ''),
           count(*) FILTER (WHERE ended.type = 'task.completed'),
           count(*) FILTER (WHERE ended.type = 'task.failed'),
           count(*) FILTER (WHERE ended.type = 'task.retrying'),
           COALESCE(sum((ended.data #>> '{attempt_usage,input_tokens}')::bigint), 0),
           COALESCE(sum((ended.data #>> '{attempt_usage,output_tokens}')::bigint), 0),
           COALESCE(sum((ended.data #>> '{attempt_usage,cost_usd}')::numeric), 0),
           COALESCE(array_agg(viral.latency_bucket(span.seconds)) FILTER (WHERE ended.type = 'task.completed'), '{}'),
           COALESCE(sum(ln(GREATEST(span.seconds, 0.001))) FILTER (WHERE ended.type = 'task.completed'), 0)
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

CREATE OR REPLACE FUNCTION viral.record_item_metrics() RETURNS trigger
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
               count(*) FILTER (WHERE item.became = 'completed') AS completed,
               count(*) FILTER (WHERE item.became = 'failed') AS failed,
               count(*) FILTER (WHERE item.became = 'pending') AS retried,
               COALESCE(sum(item.input_tokens), 0) AS input_tokens,
               COALESCE(sum(item.output_tokens), 0) AS output_tokens,
               COALESCE(sum(item.cost_usd), 0) AS cost_usd
        FROM (
            SELECT tenant_id, batch_id, agent_id,
                   CASE
                       WHEN (status IN ('completed', 'failed') AND completed_at = now()) OR (status = 'pending' AND error IS NOT NULL)
                       THEN status
                   END AS became,
                   input_tokens, output_tokens, cost_usd
            FROM settled
            UNION ALL
            SELECT tenant_id, batch_id, agent_id, NULL, -input_tokens, -output_tokens, -cost_usd
            FROM before
        ) AS item
        GROUP BY item.tenant_id, item.batch_id, item.agent_id
        HAVING count(item.became) > 0
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
DROP TRIGGER record_item_metrics ON viral.batch_items;
CREATE TRIGGER record_item_metrics AFTER UPDATE ON viral.batch_items
    REFERENCING OLD TABLE AS before NEW TABLE AS settled
    FOR EACH STATEMENT EXECUTE FUNCTION viral.record_item_metrics();
