-- The statements of the two requests, word for word, as functions: their plans are kept as the app's prepared statements are, and
-- each call is one round trip as each of the app's batches is. (pgbench 15 cannot prepare the statements of a pipeline.)
CREATE SCHEMA bench;

CREATE FUNCTION bench.authenticate(key_hash text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'viral_sweeper', true);
    PERFORM key.tenant_id, key.id, key.role, key.expires_at, key.last_used_at
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
    stored timestamptz;
BEGIN
    PERFORM set_config('role', 'viral_app', true), set_config('viral.tenant_id', tenant::text, true);
    WITH task AS (
        INSERT INTO viral.tasks (
            tenant_id, id, status, agent_id, description, input, priority, tags, metadata, timeout_seconds,
            max_attempts, scheduled_at, created_by, created_at, updated_at, due_at, check_at)
        VALUES (
            tenant, gen_random_uuid(), 'pending', 'echo', 'say this back to me', NULL, 5, '{}', NULL, 300,
            3, now() + interval '1 day', 'api_key:pgbench', now(), now(), now() + interval '1 day',
            now() + interval '23 hours 59 minutes 50 seconds')
        RETURNING tenant_id, id, status, agent_id, created_at
    ), event AS (
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        SELECT tenant_id, id, 1, 'task.created', jsonb_build_object('status', status, 'agent_id', agent_id), created_at
        FROM task
    )
    SELECT created_at INTO stored
    FROM task;
    RETURN stored;
END
$$;
GRANT USAGE ON SCHEMA bench TO viral_app, viral_sweeper;
