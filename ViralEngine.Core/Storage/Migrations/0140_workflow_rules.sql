-- One more with each change: what a look prepared outside a transaction is stored only on the state that it looked at.
ALTER TABLE viral.workflows ADD COLUMN revision integer NOT NULL DEFAULT 0;
-- Looks that ended in an error, one after the other.
ALTER TABLE viral.workflows ADD COLUMN faults integer NOT NULL DEFAULT 0;
-- How often this attempt's call was begun.
ALTER TABLE viral.workflow_steps ADD COLUMN calls integer NOT NULL DEFAULT 0;

-- Whose pair of eyes a principal is. Who made a key has seen its secret: both are one person, and so are all keys that go back to
-- one. The platform is nobody of the tenant's: a key that it made stands for itself.
CREATE FUNCTION viral.eyes(tenant uuid, principal text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH RECURSIVE line AS (
        SELECT eyes.principal AS name, 0 AS depth
        UNION ALL
        SELECT key.created_by, line.depth + 1
        FROM line
        JOIN viral.api_keys AS key
          ON key.tenant_id = eyes.tenant
         AND key.id = CASE WHEN line.name LIKE 'api\_key:%' THEN substring(line.name FROM 9)::uuid END
        WHERE key.created_by <> 'platform' AND line.depth < 1000
    )
    SELECT name
    FROM line
    ORDER BY depth DESC
    LIMIT 1;
$$;

ALTER TABLE viral.approval_decisions ADD COLUMN eyes text;
ALTER TABLE viral.approval_decisions ADD COLUMN link_created_by text;
ALTER TABLE viral.approval_decisions ADD CONSTRAINT approval_decisions_one_pair_of_eyes UNIQUE (tenant_id, gate, eyes);
