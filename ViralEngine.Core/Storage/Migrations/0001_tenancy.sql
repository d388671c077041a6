-- Two roles, neither of which logs in: the app's login is a member of both and takes one per transaction.
-- viral_app sees one tenant's rows; viral_sweeper stands above tenants (sweeps, sign-in, platform calls).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral_app') THEN
        CREATE ROLE viral_app NOLOGIN NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral_sweeper') THEN
        CREATE ROLE viral_sweeper NOLOGIN NOBYPASSRLS;
    END IF;
EXCEPTION
    -- Another database of the same server is being migrated at this moment: roles belong to the server.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

CREATE SCHEMA IF NOT EXISTS viral;
GRANT USAGE ON SCHEMA viral TO viral_app, viral_sweeper;

-- The tenant of this transaction, or NULL: then no row of any tenant is visible.
CREATE FUNCTION viral.tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('viral.tenant_id', true), '')::uuid;

-- Puts a table under row-level security: viral_app by tenant, viral_sweeper over all, the owner subject to it too.
CREATE PROCEDURE viral.isolate(target regclass, tenant_column text DEFAULT 'tenant_id')
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %s TO viral_app USING (%I = (SELECT viral.tenant())) WITH CHECK (%I = (SELECT viral.tenant()))',
        target, tenant_column, tenant_column);
    EXECUTE format('CREATE POLICY above_tenants ON %s TO viral_sweeper USING (true) WITH CHECK (true)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO viral_app, viral_sweeper', target);
END
$$;

CREATE TABLE viral.organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    plan text NOT NULL DEFAULT 'free',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT organizations_name_length CHECK (length(name) BETWEEN 1 AND 200)
);
CALL viral.isolate('viral.organizations', 'id');

-- People, known by the subject of their tokens.
CREATE TABLE viral.members (
    tenant_id uuid NOT NULL REFERENCES viral.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    subject text NOT NULL,
    email text,
    name text,
    role text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT members_role_known CHECK (role IN ('owner', 'admin', 'operator', 'approver', 'viewer')),
    CONSTRAINT members_subject_once UNIQUE (tenant_id, subject)
);
CREATE INDEX members_by_subject ON viral.members (subject);
CALL viral.isolate('viral.members');

CREATE TABLE viral.api_keys (
    tenant_id uuid NOT NULL REFERENCES viral.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    hash bytea NOT NULL,
    hint text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_hash_once UNIQUE (hash),
    CONSTRAINT api_keys_role_known CHECK (role IN ('owner', 'admin', 'operator', 'approver', 'viewer'))
);
CALL viral.isolate('viral.api_keys');

-- What happened to a task, a batch or a workflow, numbered from 1 without gaps: its history, its stream, and what webhooks tell.
-- The subject's own row keeps the last number; both change in one statement.
CREATE TABLE viral.events (
    tenant_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    number integer NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, subject_id, number)
);
CALL viral.isolate('viral.events');
