-- Calls whose cost is booked: to book one again changes nothing.
CREATE TABLE viral.settlements (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX settlements_by_age ON viral.settlements (settled_at);
CALL viral.isolate('viral.settlements');
