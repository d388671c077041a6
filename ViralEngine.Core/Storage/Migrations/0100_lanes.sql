-- Tasks that are due wait in a queue of their own, in the order in which lanes take them; those for later wait by their time.
ALTER TABLE viral.tasks
    ADD COLUMN ready boolean NOT NULL DEFAULT true,
    -- How often it was given back without a call: the API does not count these as attempts.
    ADD COLUMN held_attempts integer NOT NULL DEFAULT 0,
    -- The attempt has begun and was given back before its call.
    ADD COLUMN begun boolean NOT NULL DEFAULT false,
    -- What holds it back: the provider, a limit, the budget.
    ADD COLUMN waiting_for text,
    -- The workflow whose step waits for the task, and which run of it.
    ADD COLUMN workflow_id uuid,
    ADD COLUMN workflow_run integer,
    -- W3C traceparent of the request that stored it: its attempts belong to the same trace.
    ADD COLUMN trace_parent text,
    ALTER COLUMN check_at DROP NOT NULL;
-- A change of type sees every row, whoever they belong to.
ALTER TABLE viral.tasks
    ALTER COLUMN ready TYPE boolean USING status <> 'pending' OR due_at <= now(),
    ADD CONSTRAINT tasks_workflow_has_run CHECK ((workflow_id IS NULL) = (workflow_run IS NULL));
DROP INDEX viral.tasks_open;
DROP INDEX viral.tasks_waiting;
CREATE INDEX tasks_ready ON viral.tasks (tenant_id, priority DESC, id) WHERE status = 'pending' AND ready;
CREATE INDEX tasks_later ON viral.tasks (due_at) WHERE status = 'pending' AND NOT ready;
CREATE INDEX tasks_held ON viral.tasks (tenant_id, agent_id) WHERE waiting_for IS NOT NULL;

ALTER TABLE viral.batches
    ADD COLUMN waiting_for text,
    DROP CONSTRAINT batches_concurrency_range,
    ADD CONSTRAINT batches_concurrency_range CHECK (concurrency_limit BETWEEN 1 AND 5000);

-- A range without a lease is free. Who held it last may still settle it as long as nobody else has taken it.
ALTER TABLE viral.batch_slices
    ADD COLUMN lane smallint,
    DROP CONSTRAINT batch_slices_held_for_a_time,
    ADD CONSTRAINT batch_slices_held_by_somebody CHECK (lease_until IS NULL OR holder IS NOT NULL);
CREATE INDEX batch_slices_free ON viral.batch_slices (batch_id, first) WHERE lease_until IS NULL;
CREATE INDEX batch_slices_held ON viral.batch_slices (batch_id, lane) WHERE lease_until IS NOT NULL;

CREATE OR REPLACE VIEW viral.batch_overview WITH (security_invoker = true) AS
SELECT
    batch.tenant_id,
    batch.id,
    batch.name,
    batch.description,
    batch.status,
    batch.agent_id,
    batch.concurrency_limit,
    batch.failure_mode,
    batch.stopping,
    batch.run,
    batch.created_by,
    batch.created_at,
    batch.updated_at,
    batch.started_at,
    batch.completed_at,
    batch.total_items,
    running.in_progress,
    counts.completed,
    counts.failed,
    counts.cancelled,
    counts.input_tokens,
    counts.output_tokens,
    counts.cost_usd,
    recent.settled AS recent_settled,
    recent.at AS recent_at,
    now() AS seen_at,
    batch.waiting_for
FROM viral.batches AS batch
CROSS JOIN LATERAL (
    SELECT
        COALESCE(sum(lane.completed), 0)::integer AS completed,
        COALESCE(sum(lane.failed), 0)::integer AS failed,
        COALESCE(sum(lane.cancelled), 0)::integer AS cancelled,
        COALESCE(sum(lane.input_tokens), 0)::bigint AS input_tokens,
        COALESCE(sum(lane.output_tokens), 0)::bigint AS output_tokens,
        trim_scale(COALESCE(sum(lane.cost_usd), 0)) AS cost_usd
    FROM viral.batch_lanes AS lane
    WHERE lane.tenant_id = batch.tenant_id AND lane.batch_id = batch.id
) AS counts
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS in_progress
    FROM viral.batch_slices AS slice
    WHERE slice.tenant_id = batch.tenant_id AND slice.batch_id = batch.id AND slice.lease_until > now()
) AS running
LEFT JOIN LATERAL (
    SELECT (event.data ->> 'settled')::integer AS settled, event.created_at AS at
    FROM viral.events AS event
    WHERE event.tenant_id = batch.tenant_id AND event.subject_id = batch.id AND event.number > batch.last_event - 20
      AND event.type IN ('batch.progress', 'batch.started')
    ORDER BY event.number
    LIMIT 1
) AS recent ON batch.status = 'in_progress'
WHERE batch.expired_at IS NULL;
