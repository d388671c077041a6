-- The statements of the two requests, word for word, as functions: their plans are kept as the app's prepared statements are, and
-- each call is one round trip as each of the app's batches is. (pgbench 15 cannot prepare the statements of a pipeline.) What the
-- app gathers from several requests into one statement, pgbench writes one by one.
CREATE SCHEMA bench;

CREATE FUNCTION bench.authenticate(key_hash text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'viral_sweeper', true);
    PERFORM key.tenant_id, key.id, key.role, key.expires_at, key.last_used_at, organization.plan
    FROM viral.api_keys AS key
    JOIN viral.organizations AS organization ON organization.id = key.tenant_id AND organization.deleted_at IS NULL
    WHERE key.hash = decode(key_hash, 'hex') AND key.revoked_at IS NULL;
END
$$;

CREATE FUNCTION bench.get(tenant uuid, task uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'viral_app', true), set_config('viral.tenant_id', tenant::text, true);
    PERFORM id, status, agent_id, description, input::text, priority, tags, metadata::text, timeout_seconds,
            max_attempts, scheduled_at, created_by, created_at, updated_at, started_at, completed_at,
            CASE WHEN status = 'pending' AND attempt > 0 THEN due_at END,
            cancel_requested_at, attempt, failed_attempts, progress, result, answered_by, error::text,
            input_tokens, output_tokens, cost_usd
    FROM viral.tasks
    WHERE tenant_id = tenant AND id = task;
END
$$;

CREATE FUNCTION bench.post(tenant uuid) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    most bigint := 0;
    stored timestamptz;
BEGIN
    PERFORM set_config('role', 'viral_app', true), set_config('viral.tenant_id', tenant::text, true);
    WITH month AS (
        SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS first
    ), task AS (
        INSERT INTO viral.tasks (
            tenant_id, id, status, agent_id, description, input, priority, tags, metadata, timeout_seconds,
            max_attempts, scheduled_at, created_by, created_at, updated_at, due_at, check_at)
        SELECT tenant, id, 'pending', agent_id, description, input::json, priority, tags::text[], metadata::json, timeout_seconds,
               max_attempts, scheduled_at, created_by, now(), now(), COALESCE(scheduled_at, now()),
               GREATEST(scheduled_at - interval '10 seconds', now() + interval '10 seconds')
        FROM unnest(
            ARRAY[gen_random_uuid()], ARRAY['echo'], ARRAY['say this back to me'], ARRAY[NULL::text], ARRAY[5::smallint], ARRAY['{}'],
            ARRAY[NULL::text], ARRAY[300], ARRAY[3::smallint], ARRAY[now() + interval '1 day'], ARRAY['api_key:pgbench']
        ) WITH ORDINALITY AS asked (
            id, agent_id, description, input, priority, tags, metadata, timeout_seconds,
            max_attempts, scheduled_at, created_by, number)
        WHERE most = 0 OR number <= most - (
            SELECT COALESCE(sum(submitted), 0)
            FROM viral.task_counts
            WHERE tenant_id = tenant AND month = (SELECT first FROM month))
        RETURNING id, status, agent_id, created_at
    ), event AS (
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT tenant, id, 1, 'task.created', jsonb_build_object('status', status, 'agent_id', agent_id), created_at
        FROM task
    ), counted AS (
        INSERT INTO viral.task_counts AS counts (tenant_id, month, slot, submitted)
        SELECT tenant, first, pg_backend_pid() % 64, (SELECT count(*) FROM task)
        FROM month
        WHERE EXISTS (SELECT FROM task)
        ON CONFLICT (tenant_id, month, slot) DO UPDATE
        SET submitted = counts.submitted + EXCLUDED.submitted
    )
    SELECT created_at INTO stored
    FROM task;
    RETURN stored;
END
$$;
GRANT USAGE ON SCHEMA bench TO viral_app, viral_sweeper;
