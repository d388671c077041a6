-- Who did what to what. No foreign key to the organization: what its people did outlives it until its time is over.
CREATE TABLE viral.audit_log (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    role text,
    credential text NOT NULL,
    subject text,
    action text NOT NULL,
    target_kind text NOT NULL,
    target_id text,
    ip text,
    user_agent text,
    request_id text NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT audit_log_credential_known CHECK (credential IN ('api_key', 'token', 'platform_key', 'link'))
);
CREATE INDEX audit_log_by_target ON viral.audit_log (tenant_id, target_kind, target_id, id);
CREATE INDEX audit_log_by_actor ON viral.audit_log (tenant_id, actor, id);
CREATE INDEX audit_log_age ON viral.audit_log USING brin (at);
CALL viral.isolate('viral.audit_log');

-- Append-only: nobody changes an entry, and only the sweep removes those past their time.
REVOKE UPDATE, DELETE ON viral.audit_log FROM viral_app;
REVOKE INSERT, UPDATE ON viral.audit_log FROM viral_sweeper;
