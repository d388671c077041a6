-- No foreign key to the organization: each insert would lock its row, and a busy tenant's inserts would queue there.
CREATE TABLE viral.tasks (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL,
    agent_id text NOT NULL,
    description text NOT NULL,
    input json,
    priority smallint NOT NULL,
    tags text[] NOT NULL,
    metadata json,
    timeout_seconds integer NOT NULL,
    max_attempts smallint NOT NULL,
    scheduled_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    -- The run counts submissions (1, and one more with each retry by a user); the attempt is the fencing token.
    run integer NOT NULL DEFAULT 1,
    attempt integer NOT NULL DEFAULT 0,
    failed_attempts integer NOT NULL DEFAULT 0,
    lost_attempts integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    due_at timestamptz NOT NULL,
    cancel_requested_at timestamptz,
    -- When a sweep should look whether something still works on it.
    check_at timestamptz NOT NULL,
    last_event integer NOT NULL DEFAULT 1,
    progress double precision,
    result text,
    -- How the result was cut when it was streamed, and the number of the event before its first piece.
    chunk_lengths integer[],
    stream_base integer NOT NULL DEFAULT 0,
    answered_by text,
    error jsonb,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd numeric(18, 9),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT tasks_status_known CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    CONSTRAINT tasks_in_progress_has_lease CHECK (status <> 'in_progress' OR lease_until IS NOT NULL),
    CONSTRAINT tasks_ended_has_time
        CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT tasks_completed_has_result CHECK (status <> 'completed' OR result IS NOT NULL),
    CONSTRAINT tasks_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT tasks_priority_range CHECK (priority BETWEEN 0 AND 9)
);
CREATE INDEX tasks_open ON viral.tasks (check_at) WHERE status IN ('pending', 'in_progress');
-- In the order in which a plan's limit lets them through.
CREATE INDEX tasks_waiting ON viral.tasks (tenant_id, priority DESC, id) WHERE status = 'pending';
CREATE INDEX tasks_running ON viral.tasks (tenant_id, id) WHERE status = 'in_progress';
CREATE INDEX tasks_not_completed ON viral.tasks (tenant_id, status, id) WHERE status IN ('failed', 'cancelled');
ALTER TABLE viral.tasks SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CALL viral.isolate('viral.tasks');
