-- An index behind every filter of every list, in the order of the list: a filter that finds little then reads little.
CREATE INDEX tasks_by_agent ON viral.tasks (tenant_id, agent_id, id);
CREATE INDEX tasks_pending ON viral.tasks (tenant_id, id) WHERE status = 'pending';
CREATE INDEX tasks_completed ON viral.tasks (tenant_id, id) WHERE status = 'completed';
CREATE INDEX batches_by_status ON viral.batches (tenant_id, status, id);
CREATE INDEX workflows_by_status ON viral.workflows (tenant_id, status, id);
CREATE INDEX workflows_by_template ON viral.workflows (tenant_id, template_id, id) WHERE template_id IS NOT NULL;
CREATE INDEX webhook_deliveries_by_status ON viral.webhook_deliveries (tenant_id, endpoint_id, status, id);
CREATE INDEX webhook_deliveries_by_type ON viral.webhook_deliveries (tenant_id, endpoint_id, event_type, id);
CREATE INDEX webhook_deliveries_by_family ON viral.webhook_deliveries (tenant_id, endpoint_id, split_part(event_type, '.', 1), id);
CREATE INDEX audit_log_by_action ON viral.audit_log (tenant_id, action, id);
-- A column, as an index by an expression is of no use under row-level security: split_part() is not leakproof.
ALTER TABLE viral.audit_log ADD COLUMN family text GENERATED ALWAYS AS (split_part(action, '.', 1)) STORED;
CREATE INDEX audit_log_by_family ON viral.audit_log (tenant_id, family, id);
CREATE INDEX audit_log_by_target_kind ON viral.audit_log (tenant_id, target_kind, id);
CREATE INDEX audit_log_by_target_id ON viral.audit_log (tenant_id, target_id, id);

-- Tags, a row each: an index over arrays knows no order, and the planner no tag that is nowhere.
CREATE TABLE viral.task_tags (
    tenant_id uuid NOT NULL,
    tag text NOT NULL,
    task_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, tag, task_id)
);
CREATE INDEX task_tags_of_task ON viral.task_tags (tenant_id, task_id);

ALTER TABLE viral.tasks NO FORCE ROW LEVEL SECURITY;
INSERT INTO viral.task_tags (tenant_id, tag, task_id)
SELECT DISTINCT tenant_id, unnest(tags), id
FROM viral.tasks
WHERE tags <> '{}';
ALTER TABLE viral.tasks FORCE ROW LEVEL SECURITY;

CALL viral.isolate('viral.task_tags');

CREATE FUNCTION viral.add_task_tags() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO viral.task_tags (tenant_id, tag, task_id)
    SELECT DISTINCT tenant_id, unnest(tags), id
    FROM added
    WHERE tags <> '{}';
    RETURN NULL;
END
$$;
CREATE TRIGGER tags_added AFTER INSERT ON viral.tasks
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION viral.add_task_tags();

CREATE FUNCTION viral.remove_task_tags() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM viral.task_tags AS tag
    USING removed
    WHERE removed.tags <> '{}' AND tag.tenant_id = removed.tenant_id AND tag.task_id = removed.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER tags_removed AFTER DELETE ON viral.tasks
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION viral.remove_task_tags();
