-- What is watched, and what was found.
CREATE TABLE viral.alert_rules (
    tenant_id uuid NOT NULL REFERENCES viral.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    metric text NOT NULL,
    -- '': the organization as a whole.
    agent_id text NOT NULL DEFAULT '',
    mode text NOT NULL DEFAULT 'anomaly',
    direction text NOT NULL,
    false_alarms_per_month double precision NOT NULL DEFAULT 0.5,
    least_volume integer NOT NULL DEFAULT 0,
    bound_above double precision,
    bound_below double precision,
    quiet_from time,
    quiet_to time,
    time_zone text NOT NULL DEFAULT 'UTC',
    action text,
    enabled boolean NOT NULL DEFAULT true,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT alert_rules_name_length CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT alert_rules_metric_known
        CHECK (metric IN ('error_rate', 'latency', 'cost_per_task', 'failures', 'throughput', 'queue_age')),
    CONSTRAINT alert_rules_mode_known CHECK (mode IN ('anomaly', 'simple', 'static')),
    CONSTRAINT alert_rules_direction_known CHECK (direction IN ('above', 'below', 'both')),
    CONSTRAINT alert_rules_action_known CHECK (action IN ('pause_agent', 'use_fallback')),
    CONSTRAINT alert_rules_action_has_agent CHECK (action IS NULL OR agent_id <> ''),
    CONSTRAINT alert_rules_static_has_bound
        CHECK ((mode = 'static') = (bound_above IS NOT NULL OR bound_below IS NOT NULL)),
    CONSTRAINT alert_rules_quiet_whole CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);
CALL viral.isolate('viral.alert_rules');

-- One series as its detector left it: bytes, with their version in the first.
CREATE TABLE viral.series_states (
    tenant_id uuid NOT NULL,
    metric text NOT NULL,
    agent_id text NOT NULL,
    mode text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (tenant_id, metric, agent_id, mode)
) WITH (fillfactor = 50, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE viral.series_states ALTER COLUMN state SET STORAGE EXTERNAL;
CALL viral.isolate('viral.series_states');

-- An incident: what has one cause, as far as time and agent tell.
CREATE TABLE viral.alerts (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL,
    summary text NOT NULL,
    opened_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text,
    muted_until timestamptz,
    last_event integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT alerts_status_known CHECK (status IN ('open', 'resolved')),
    CONSTRAINT alerts_resolved_has_time CHECK ((status = 'resolved') = (resolved_at IS NOT NULL))
);
CREATE INDEX alerts_open ON viral.alerts (tenant_id, id) WHERE status = 'open';
CREATE INDEX alerts_age ON viral.alerts (resolved_at) WHERE status = 'resolved';
CALL viral.isolate('viral.alerts');

-- The series of an incident.
CREATE TABLE viral.alert_series (
    tenant_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    metric text NOT NULL,
    agent_id text NOT NULL,
    action text,
    opened_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- Calm points since the last strange one.
    calm integer NOT NULL DEFAULT 0,
    score double precision NOT NULL,
    threshold double precision NOT NULL,
    direction text NOT NULL,
    actual double precision NOT NULL,
    expected double precision NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    volume double precision NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant_id, alert_id, rule_id, metric, agent_id),
    FOREIGN KEY (tenant_id, alert_id) REFERENCES viral.alerts (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX alert_series_open_once ON viral.alert_series (tenant_id, rule_id, metric, agent_id) WHERE ended_at IS NULL;
CALL viral.isolate('viral.alert_series');

-- What an open alert keeps an agent from. Gone with the alert.
CREATE TABLE viral.agent_restraints (
    tenant_id uuid NOT NULL,
    agent_id text NOT NULL,
    action text NOT NULL,
    alert_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, agent_id, action, alert_id),
    FOREIGN KEY (tenant_id, alert_id) REFERENCES viral.alerts (tenant_id, id) ON DELETE CASCADE
);
CALL viral.isolate('viral.agent_restraints');

-- The engine itself acts, by a rule.
ALTER TABLE viral.audit_log DROP CONSTRAINT audit_log_credential_known;
ALTER TABLE viral.audit_log ADD CONSTRAINT audit_log_credential_known
    CHECK (credential IN ('api_key', 'token', 'platform_key', 'link', 'rule'));

-- Each organization begins with rules that raise a false alarm every other month, and act on nothing.
CREATE FUNCTION viral.add_default_rules() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO viral.alert_rules (tenant_id, id, name, metric, direction, created_by)
    SELECT added.id, viral.uuid_v7(), rule.name, rule.metric, rule.direction, 'viral-engine'
    FROM added
    CROSS JOIN (VALUES
        ('Error rate', 'error_rate', 'above'), ('Latency', 'latency', 'above'), ('Cost per task', 'cost_per_task', 'above'),
        ('Failures', 'failures', 'above'), ('Throughput', 'throughput', 'both'), ('Queue age', 'queue_age', 'above')
    ) AS rule (name, metric, direction);
    RETURN NULL;
END
$$;
CREATE TRIGGER add_default_rules AFTER INSERT ON viral.organizations
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION viral.add_default_rules();

-- Those that are there already begin so too.
ALTER TABLE viral.organizations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE viral.alert_rules NO FORCE ROW LEVEL SECURITY;
INSERT INTO viral.alert_rules (tenant_id, id, name, metric, direction, created_by)
SELECT organization.id, viral.uuid_v7(), rule.name, rule.metric, rule.direction, 'viral-engine'
FROM viral.organizations AS organization
CROSS JOIN (VALUES
    ('Error rate', 'error_rate', 'above'), ('Latency', 'latency', 'above'), ('Cost per task', 'cost_per_task', 'above'),
    ('Failures', 'failures', 'above'), ('Throughput', 'throughput', 'both'), ('Queue age', 'queue_age', 'above')
) AS rule (name, metric, direction)
WHERE organization.deleted_at IS NULL;
ALTER TABLE viral.organizations FORCE ROW LEVEL SECURITY;
ALTER TABLE viral.alert_rules FORCE ROW LEVEL SECURITY;
