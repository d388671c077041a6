-- The statements of the request, word for word, in its two round trips. What the app gathers from several requests into one
-- statement, pgbench sends one by one.
\set n random(1, :tasks)
\startpipeline
SELECT set_config('role', 'viral_sweeper', true);
SELECT key.hash, key.tenant_id, key.id, key.role, key.expires_at, key.last_used_at, organization.plan
FROM viral.api_keys AS key
JOIN viral.organizations AS organization ON organization.id = key.tenant_id AND organization.deleted_at IS NULL
WHERE key.hash = ANY (ARRAY[decode(:key_hash, 'hex')]) AND key.revoked_at IS NULL;
\endpipeline
\startpipeline
SELECT set_config('role', 'viral_app', true), set_config('viral.tenant_id', :tenant, true);
SELECT id, status, agent_id, description, input::text, priority, tags, metadata::text, timeout_seconds,
       max_attempts, scheduled_at, created_by, created_at, updated_at, started_at, completed_at,
       CASE WHEN status = 'pending' AND attempt > 0 THEN due_at END,
       cancel_requested_at, attempt - held_attempts, failed_attempts, progress,
       CASE WHEN octet_length(result) <= 65536 THEN result END,
       answered_by, error::text, input_tokens, output_tokens, cost_usd, finish_reason, waiting_for, octet_length(result)
FROM viral.tasks
WHERE tenant_id = :tenant::uuid AND id = ANY (ARRAY[('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid]);
\endpipeline
