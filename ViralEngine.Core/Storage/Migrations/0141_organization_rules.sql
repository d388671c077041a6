-- Who was asked to join acts for the organization once they have accepted; those that were members before had been taken for it.
ALTER TABLE viral.members ADD COLUMN accepted_at timestamptz;
ALTER TABLE viral.members ADD COLUMN invited_by text;
-- A change of type sees every row, whoever they belong to; an update by the owner sees none.
ALTER TABLE viral.members ALTER COLUMN accepted_at TYPE timestamptz USING created_at;

-- The organizations that are to be erased.
CREATE INDEX organizations_deleted ON viral.organizations (deleted_at) WHERE deleted_at IS NOT NULL;

-- The keys that somebody made, and those that were made with them.
CREATE FUNCTION viral.keys_made_by(tenant uuid, principal text) RETURNS SETOF uuid
    LANGUAGE sql STABLE AS $$
    WITH RECURSIVE made AS (
        SELECT key.id
        FROM viral.api_keys AS key
        WHERE key.tenant_id = keys_made_by.tenant AND key.created_by = keys_made_by.principal
        UNION
        SELECT key.id
        FROM made
        JOIN viral.api_keys AS key ON key.tenant_id = keys_made_by.tenant AND key.created_by = 'api_key:' || made.id
    )
    SELECT id
    FROM made;
$$;

-- Erases a portion of what a tenant owns, and tells how many rows; 0: nothing is left that can be found by the tenant. Tables are
-- found, not listed, so that one that comes later is not forgotten. What is append-only goes with its parent; the audit log outlives
-- the tenant for its own time; what has no index by tenant goes with its batch.
CREATE FUNCTION viral.erase_tenant(tenant uuid, most integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    target regclass;
    erased bigint;
BEGIN
    FOR target IN
        SELECT relation.oid
        FROM pg_class AS relation
        JOIN pg_attribute AS own ON own.attrelid = relation.oid AND own.attname = 'tenant_id' AND NOT own.attisdropped
        WHERE relation.relnamespace = 'viral'::regnamespace AND relation.relkind IN ('r', 'p')
          AND NOT relation.relispartition
          AND relation.relname NOT IN ('audit_log', 'batches')
          AND has_table_privilege(relation.oid, 'DELETE')
          AND EXISTS (
              SELECT
              FROM pg_index AS index
              WHERE index.indrelid = relation.oid AND index.indkey[0] = own.attnum AND index.indpred IS NULL)
        ORDER BY relation.relname
    LOOP
        EXECUTE format(
            'DELETE FROM %1$s WHERE tenant_id = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE tenant_id = $1 LIMIT $2))', target)
            USING tenant, most;
        GET DIAGNOSTICS erased = ROW_COUNT;
        IF erased > 0 THEN
            RETURN erased;
        END IF;
    END LOOP;
    RETURN 0;
END
$$;
