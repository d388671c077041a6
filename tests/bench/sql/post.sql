\startpipeline
SELECT set_config('role', 'viral_sweeper', true);
SELECT key.tenant_id, key.id, key.role, key.expires_at, key.last_used_at FROM viral.api_keys AS key JOIN viral.organizations AS organization ON organization.id = key.tenant_id AND organization.deleted_at IS NULL WHERE key.hash = decode(:key_hash::text, 'hex') AND key.revoked_at IS NULL;
\endpipeline
\startpipeline
SELECT set_config('role', 'viral_app', true), set_config('viral.tenant_id', :tenant::text, true);
WITH task AS (INSERT INTO viral.tasks (tenant_id, id, status, agent_id, description, input, priority, tags, metadata, timeout_seconds, max_attempts, scheduled_at, created_by, created_at, updated_at, due_at, check_at) VALUES (:tenant::uuid, gen_random_uuid(), 'pending', 'echo', 'say this back to me', NULL, 5, '{}', NULL, 300, 3, now() + interval '1 day', 'api_key:pgbench', now(), now(), now() + interval '1 day', now() + interval '1 day 10 seconds') RETURNING tenant_id, id, status, agent_id, created_at), event AS (INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at) SELECT tenant_id, id, 1, 'task.created', jsonb_build_object('status', status, 'agent_id', agent_id), created_at FROM task) SELECT created_at FROM task;
\endpipeline
