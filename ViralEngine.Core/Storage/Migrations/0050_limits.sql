-- How many tasks a tenant submitted in a month (its first day, UTC). Each connection counts in a slot of its own, so that a busy
-- tenant's submissions do not queue for one row; the sum is exact.
CREATE TABLE viral.task_counts (
    tenant_id uuid NOT NULL,
    month date NOT NULL,
    slot smallint NOT NULL,
    submitted bigint NOT NULL,
    PRIMARY KEY (tenant_id, month, slot)
);
ALTER TABLE viral.task_counts SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.2);
CALL viral.isolate('viral.task_counts');

-- What a tenant may spend in a month: altogether (agent_id '') and by agent.
CREATE TABLE viral.budgets (
    tenant_id uuid NOT NULL,
    agent_id text NOT NULL,
    monthly_usd numeric(18, 9) NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, agent_id),
    CONSTRAINT budgets_not_negative CHECK (monthly_usd >= 0)
);
CALL viral.isolate('viral.budgets');

CREATE TABLE viral.spending (
    tenant_id uuid NOT NULL,
    agent_id text NOT NULL,
    month date NOT NULL,
    spent_usd numeric(18, 9) NOT NULL DEFAULT 0,
    reserved_usd numeric(18, 9) NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, agent_id, month),
    CONSTRAINT spending_not_negative CHECK (spent_usd >= 0 AND reserved_usd >= 0)
);
ALTER TABLE viral.spending SET (fillfactor = 50);
CALL viral.isolate('viral.spending');

-- Money set aside for calls that run. One whose process died is given back when its time is over.
CREATE TABLE viral.reservations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    agent_ids text[] NOT NULL,
    month date NOT NULL,
    amount_usd numeric(18, 9) NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT reservations_positive CHECK (amount_usd > 0)
);
CREATE INDEX reservations_expired ON viral.reservations (expires_at);
CALL viral.isolate('viral.reservations');
