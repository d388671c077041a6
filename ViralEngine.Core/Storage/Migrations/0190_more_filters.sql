-- A column, as an index by an expression is of no use under row-level security: split_part() is not leakproof.
ALTER TABLE viral.webhook_deliveries ADD COLUMN family text GENERATED ALWAYS AS (split_part(event_type, '.', 1)) STORED;
DROP INDEX viral.webhook_deliveries_by_family;
CREATE INDEX webhook_deliveries_by_family ON viral.webhook_deliveries (tenant_id, endpoint_id, family, id);
CREATE INDEX agents_by_kind ON viral.agents (tenant_id, kind, id);
CREATE INDEX alerts_resolved ON viral.alerts (tenant_id, id) WHERE status = 'resolved';

-- Whom open gates ask, a row each, as role:… or user:…. Those that ask somebody else are then not read.
CREATE TABLE viral.approval_asks (
    tenant_id uuid NOT NULL,
    asked text NOT NULL,
    gate uuid NOT NULL,
    PRIMARY KEY (tenant_id, asked, gate),
    FOREIGN KEY (tenant_id, gate) REFERENCES viral.approval_gates (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX approval_asks_of_gate ON viral.approval_asks (tenant_id, gate);

ALTER TABLE viral.approval_gates NO FORCE ROW LEVEL SECURITY;
INSERT INTO viral.approval_asks (tenant_id, asked, gate)
SELECT gate.tenant_id, asked.name, gate.id
FROM viral.approval_gates AS gate
CROSS JOIN LATERAL (
    SELECT 'role:' || unnest(gate.roles) AS name
    UNION
    SELECT 'user:' || unnest(gate.users)
) AS asked
WHERE gate.status = 'open';
ALTER TABLE viral.approval_gates FORCE ROW LEVEL SECURITY;

CALL viral.isolate('viral.approval_asks');

CREATE FUNCTION viral.ask_approvers() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM viral.approval_asks WHERE tenant_id = NEW.tenant_id AND gate = NEW.id;
    END IF;
    IF NEW.status = 'open' THEN
        INSERT INTO viral.approval_asks (tenant_id, asked, gate)
        SELECT NEW.tenant_id, 'role:' || unnest(NEW.roles), NEW.id
        UNION
        SELECT NEW.tenant_id, 'user:' || unnest(NEW.users), NEW.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER gate_opened AFTER INSERT ON viral.approval_gates
    FOR EACH ROW EXECUTE FUNCTION viral.ask_approvers();
CREATE TRIGGER gate_changed AFTER UPDATE ON viral.approval_gates
    FOR EACH ROW
    WHEN ((OLD.status, OLD.roles, OLD.users) IS DISTINCT FROM (NEW.status, NEW.roles, NEW.users))
    EXECUTE FUNCTION viral.ask_approvers();
