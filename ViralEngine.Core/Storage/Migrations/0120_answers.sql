-- Why an answer ended, where its provider says so.
ALTER TABLE viral.tasks ADD COLUMN finish_reason text;
ALTER TABLE viral.batch_items ADD COLUMN finish_reason text;

-- What was streamed before the answer, by attempts that failed and agents that others stood in for. A length of 0 is a reset.
CREATE TABLE viral.task_stream_parts (
    tenant_id uuid NOT NULL,
    task_id uuid NOT NULL,
    -- The number of the event before the first.
    base integer NOT NULL,
    lengths integer[] NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant_id, task_id, base),
    FOREIGN KEY (tenant_id, task_id) REFERENCES viral.tasks (tenant_id, id) ON DELETE CASCADE
);
CALL viral.isolate('viral.task_stream_parts');

-- Sums have room for more than any of what is summed.
ALTER TABLE viral.budgets ALTER COLUMN monthly_usd TYPE numeric(30, 9);
ALTER TABLE viral.spending ALTER COLUMN spent_usd TYPE numeric(30, 9), ALTER COLUMN reserved_usd TYPE numeric(30, 9);
ALTER TABLE viral.reservations ALTER COLUMN amount_usd TYPE numeric(30, 9);
ALTER TABLE viral.tasks ALTER COLUMN cost_usd TYPE numeric(30, 9);
ALTER TABLE viral.batch_items ALTER COLUMN cost_usd TYPE numeric(30, 9);

DO $$
DECLARE
    overview text := pg_get_viewdef('viral.batch_overview'::regclass);
BEGIN
    DROP VIEW viral.batch_overview;
    ALTER TABLE viral.batch_lanes ALTER COLUMN cost_usd TYPE numeric(30, 9);
    EXECUTE 'CREATE VIEW viral.batch_overview WITH (security_invoker = true) AS ' || overview;
    GRANT SELECT ON viral.batch_overview TO viral_app, viral_sweeper;
END
$$;
