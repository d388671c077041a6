-- One row for each Idempotency-Key: first a claim with a lease, then the answer. Platform calls have the empty tenant, so
-- there is no foreign key.
CREATE TABLE viral.idempotency_keys (
    tenant_id uuid NOT NULL,
    principal text NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    -- The fencing token: who claimed last. An answer is written under it or not at all.
    claim uuid NOT NULL,
    lease_until timestamptz,
    -- SHA-256 of method, path, query and body; the body's length tells early that a longer one is another.
    fingerprint bytea,
    body_length bigint,
    status smallint,
    content_type text,
    location text,
    -- Sealed: an answer may hold a secret that is shown once.
    answer bytea,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, principal, method, route, key),
    CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_keys_claimed_or_answered CHECK (
        (status IS NULL AND lease_until IS NOT NULL AND fingerprint IS NULL AND answer IS NULL)
        OR (status BETWEEN 200 AND 299 AND lease_until IS NULL AND length(fingerprint) = 32
            AND body_length IS NOT NULL AND answer IS NOT NULL))
);
CREATE INDEX idempotency_keys_expired ON viral.idempotency_keys (expires_at);
CALL viral.isolate('viral.idempotency_keys');
