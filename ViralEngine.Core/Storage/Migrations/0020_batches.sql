CREATE TABLE viral.batches (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    status text NOT NULL,
    agent_id text,
    concurrency_limit smallint NOT NULL,
    failure_mode text NOT NULL,
    total_items integer NOT NULL,
    -- Counts submissions: 1, and one more with each retry of what failed.
    run integer NOT NULL DEFAULT 1,
    -- What the batch will end as once what runs has ended: nothing more is started.
    stopping text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    -- When a sweep should look whether something still works on it.
    check_at timestamptz NOT NULL,
    last_event integer NOT NULL DEFAULT 1,
    progress_at timestamptz NOT NULL,
    progress_settled integer NOT NULL DEFAULT 0,
    -- Past its retention: hidden, and being deleted in slices.
    expired_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT batches_status_known CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    CONSTRAINT batches_stopping_known CHECK (stopping IN ('failed', 'cancelled')),
    CONSTRAINT batches_failure_mode_known CHECK (failure_mode IN ('continue', 'fail_fast')),
    CONSTRAINT batches_concurrency_range CHECK (concurrency_limit BETWEEN 1 AND 50),
    CONSTRAINT batches_has_items CHECK (total_items BETWEEN 1 AND 1000000),
    CONSTRAINT batches_ended_has_time CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
);
CREATE INDEX batches_open ON viral.batches (check_at) WHERE status IN ('pending', 'in_progress');
CREATE INDEX batches_expired ON viral.batches (expired_at) WHERE expired_at IS NOT NULL;
CALL viral.isolate('viral.batches');

-- An item is written twice: when it comes and when it is settled. Pages are filled to half, so that the second version finds
-- room beside the first and no index has to learn of it; no index names a column that changes.
CREATE TABLE viral.batch_items (
    tenant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    -- The line of an NDJSON body, or the place in the array of a JSON one, from 1.
    number integer NOT NULL,
    -- The user's own; none: the number.
    item_id text,
    agent_id text,
    description text NOT NULL,
    input json,
    metadata json,
    timeout_seconds integer,
    max_attempts smallint,
    status text NOT NULL DEFAULT 'pending',
    attempt integer NOT NULL DEFAULT 0,
    failed_attempts integer NOT NULL DEFAULT 0,
    completed_at timestamptz,
    result text,
    answered_by text,
    error jsonb,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd numeric(18, 9),
    PRIMARY KEY (batch_id, number),
    CONSTRAINT batch_items_status_known CHECK (status IN ('pending', 'completed', 'failed', 'cancelled')),
    CONSTRAINT batch_items_completed_has_result CHECK (status <> 'completed' OR result IS NOT NULL),
    CONSTRAINT batch_items_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);
CREATE UNIQUE INDEX batch_items_id_once ON viral.batch_items (batch_id, item_id) WHERE item_id IS NOT NULL;
CALL viral.isolate('viral.batch_items');

-- What is left to do: ranges of numbers that do not overlap and hold every pending item of a batch that has not ended. A worker
-- takes one, or its front, under a lease; what it could not settle comes back as new ranges. So a million items are claimed and
-- leased by a few thousand rows, and the items are not touched for it.
CREATE TABLE viral.batch_slices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    first integer NOT NULL,
    last integer NOT NULL,
    due_at timestamptz NOT NULL,
    -- The fencing token: who settles under another changes nothing.
    holder uuid,
    lease_until timestamptz,
    -- How often its holder died.
    lost smallint NOT NULL DEFAULT 0,
    CONSTRAINT batch_slices_not_empty CHECK (first <= last),
    CONSTRAINT batch_slices_held_for_a_time CHECK ((holder IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX batch_slices_in_order ON viral.batch_slices (batch_id, first);
CALL viral.isolate('viral.batch_slices');

-- The counters of a batch, a row a lane, so that lanes do not wait for each other: the batch's are their sum.
CREATE TABLE viral.batch_lanes (
    tenant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    lane smallint NOT NULL,
    completed integer NOT NULL,
    failed integer NOT NULL,
    cancelled integer NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd numeric(18, 9) NOT NULL,
    PRIMARY KEY (batch_id, lane)
) WITH (fillfactor = 20);
CALL viral.isolate('viral.batch_lanes');

-- A batch as the API shows it. Recent is where it stood about twenty progress events ago, for its rate.
CREATE VIEW viral.batch_overview WITH (security_invoker = true) AS
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
    now() AS seen_at
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
GRANT SELECT ON viral.batch_overview TO viral_app, viral_sweeper;
