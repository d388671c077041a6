-- The statements of the request, word for word, in its two round trips. What the app gathers from several requests into one
-- statement, pgbench sends one by one.
\startpipeline
SELECT set_config('role', 'viral_sweeper', true);
SELECT key.hash, key.tenant_id, key.id, key.role, key.expires_at, key.last_used_at, organization.plan
FROM viral.api_keys AS key
JOIN viral.organizations AS organization ON organization.id = key.tenant_id AND organization.deleted_at IS NULL
WHERE key.hash = ANY (ARRAY[decode(:key_hash, 'hex')]) AND key.revoked_at IS NULL;
\endpipeline
\startpipeline
SELECT set_config('role', 'viral_app', true), set_config('viral.tenant_id', :tenant, true);
WITH month AS (
    SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS first
), task AS (
    INSERT INTO viral.tasks (
        tenant_id, id, status, agent_id, description, input, priority, tags, metadata, timeout_seconds,
        max_attempts, scheduled_at, created_by, created_at, updated_at, due_at, ready, workflow_id, workflow_run,
        trace_parent)
    SELECT :tenant::uuid, id, 'pending', agent_id, description, input::json, priority, tags::text[], metadata::json, timeout_seconds,
           max_attempts, scheduled_at, created_by, now(), now(), COALESCE(scheduled_at, now()),
           COALESCE(scheduled_at <= now(), true), workflow_id, workflow_run, trace_parent
    FROM unnest(
        ARRAY[gen_random_uuid()], ARRAY['echo'], ARRAY['say this back to me'], ARRAY[NULL::text], ARRAY[5::smallint], ARRAY['{}'],
        ARRAY[NULL::text], ARRAY[300], ARRAY[3::smallint], ARRAY[now() + interval '1 day'], ARRAY['pgbench'], ARRAY[NULL::uuid],
        ARRAY[NULL::integer], ARRAY['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01']
    ) WITH ORDINALITY AS asked (
        id, agent_id, description, input, priority, tags, metadata, timeout_seconds,
        max_attempts, scheduled_at, created_by, workflow_id, workflow_run, trace_parent, number)
    WHERE :most::bigint = 0 OR number <= :most::bigint - (
        SELECT COALESCE(sum(submitted), 0)
        FROM viral.task_counts
        WHERE tenant_id = :tenant::uuid AND month = (SELECT first FROM month))
    RETURNING id, status, agent_id, created_at
), event AS (
    INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
    SELECT :tenant::uuid, id, 1, 'task.created', jsonb_build_object('status', status, 'agent_id', agent_id), created_at
    FROM task
), counted AS (
    INSERT INTO viral.task_counts AS counts (tenant_id, month, slot, submitted)
    SELECT :tenant::uuid, first, pg_backend_pid() % 64, (SELECT count(*) FROM task)
    FROM month
    WHERE EXISTS (SELECT FROM task)
    ON CONFLICT (tenant_id, month, slot) DO UPDATE
    SET submitted = counts.submitted + EXCLUDED.submitted
)
SELECT id, created_at
FROM task;
\endpipeline
