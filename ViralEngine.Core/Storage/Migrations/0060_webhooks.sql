-- UUID version 7 (RFC 9562, section 5.7): ordered by the time it was made.
CREATE FUNCTION viral.uuid_v7() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6),
                52, 1),
            53, 1),
        'hex')::uuid;

CREATE TABLE viral.webhook_endpoints (
    tenant_id uuid NOT NULL REFERENCES viral.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    url text NOT NULL,
    description text,
    event_types text[] NOT NULL,
    ordering text NOT NULL,
    -- Messages a second; NULL: as many as there are.
    rate_limit integer,
    -- Sealed JSON of the tenant's own headers; their names may be shown.
    headers bytea,
    header_names text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    disabled_reason text,
    disabled_at timestamptz,
    -- The first failure since the last success.
    failing_since timestamptz,
    -- Nothing is sent before: the receiver asked for a pause, or the rate is used up.
    ready_at timestamptz NOT NULL DEFAULT '-infinity',
    last_event integer NOT NULL DEFAULT 0,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_endpoints_ordering_known CHECK (ordering IN ('none', 'per_object')),
    CONSTRAINT webhook_endpoints_types_some CHECK (cardinality(event_types) BETWEEN 1 AND 100),
    CONSTRAINT webhook_endpoints_rate_range CHECK (rate_limit BETWEEN 1 AND 1000),
    CONSTRAINT webhook_endpoints_reason_known CHECK (disabled_reason IN ('user', 'gone', 'failing')),
    CONSTRAINT webhook_endpoints_disabled_has_reason
        CHECK (enabled = (disabled_reason IS NULL) AND enabled = (disabled_at IS NULL))
);
CREATE INDEX webhook_endpoints_enabled ON viral.webhook_endpoints (tenant_id) WHERE enabled;
CALL viral.isolate('viral.webhook_endpoints');

-- The one without an end signs; one that was replaced signs beside it until its end.
CREATE TABLE viral.webhook_secrets (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    id uuid NOT NULL,
    secret bytea NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, endpoint_id, id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES viral.webhook_endpoints (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX webhook_secrets_one_current ON viral.webhook_secrets (tenant_id, endpoint_id) WHERE expires_at IS NULL;
CALL viral.isolate('viral.webhook_secrets');

-- What is sent, once for all endpoints: the payload is the very text that is signed.
CREATE TABLE viral.webhook_messages (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    payload text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX webhook_messages_age ON viral.webhook_messages USING brin (created_at);
CALL viral.isolate('viral.webhook_messages');

-- A message on its way to one endpoint. No foreign keys: each event would lock the endpoint's row, which the claim needs.
CREATE TABLE viral.webhook_deliveries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    message_id uuid NOT NULL,
    event_type text NOT NULL,
    subject_id uuid NOT NULL,
    number integer NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    -- Attempts are counted for good, and the number is the fencing token; tries since it was last put into the queue.
    attempts integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    -- When it may be tried; while leased, when the lease ends; infinity while its endpoint is disabled.
    due_at timestamptz NOT NULL,
    leased boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_deliveries_status_known CHECK (status IN ('pending', 'delivered', 'failed')),
    CONSTRAINT webhook_deliveries_ended_has_time CHECK ((status = 'pending') = (completed_at IS NULL)),
    CONSTRAINT webhook_deliveries_leased_is_pending CHECK (NOT leased OR status = 'pending')
);
CREATE INDEX webhook_deliveries_due ON viral.webhook_deliveries (due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_queue ON viral.webhook_deliveries (tenant_id, endpoint_id, due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_order ON viral.webhook_deliveries (tenant_id, endpoint_id, subject_id, number)
    WHERE status = 'pending';
CREATE INDEX webhook_deliveries_leased ON viral.webhook_deliveries (tenant_id, endpoint_id) WHERE leased;
CREATE INDEX webhook_deliveries_log ON viral.webhook_deliveries (tenant_id, endpoint_id, id);
CREATE INDEX webhook_deliveries_by_message ON viral.webhook_deliveries (tenant_id, message_id);
ALTER TABLE viral.webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.05);
CALL viral.isolate('viral.webhook_deliveries');

CREATE TABLE viral.webhook_attempts (
    tenant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    request_headers json NOT NULL,
    response_status smallint,
    response_headers json,
    response_body text,
    error text,
    PRIMARY KEY (tenant_id, delivery_id, number),
    FOREIGN KEY (tenant_id, delivery_id) REFERENCES viral.webhook_deliveries (tenant_id, id) ON DELETE CASCADE
);
CALL viral.isolate('viral.webhook_attempts');

-- The outbox: what happens to a tenant's work becomes messages in the very transaction in which it happens. One probe of an
-- index where the tenant has no endpoint.
CREATE FUNCTION viral.queue_webhooks() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM inserted
        JOIN viral.webhook_endpoints AS endpoint ON endpoint.tenant_id = inserted.tenant_id
        WHERE endpoint.enabled)
    THEN
        RETURN NULL;
    END IF;

    WITH wanted AS (
        SELECT inserted.tenant_id, inserted.subject_id, inserted.number, inserted.type, inserted.data, inserted.created_at,
               endpoint.id AS endpoint_id
        FROM inserted
        JOIN viral.webhook_endpoints AS endpoint ON endpoint.tenant_id = inserted.tenant_id
        WHERE endpoint.enabled
          AND endpoint.event_types && ARRAY['*', split_part(inserted.type, '.', 1) || '.*', inserted.type]
    ), message AS (
        SELECT tenant_id, subject_id, number, type, data, created_at, viral.uuid_v7() AS id
        FROM (
            SELECT DISTINCT ON (tenant_id, subject_id, number) tenant_id, subject_id, number, type, data, created_at
            FROM wanted
            ORDER BY tenant_id, subject_id, number
        ) AS event
    ), stored AS (
        INSERT INTO viral.webhook_messages (tenant_id, id, type, payload, created_at)
        SELECT tenant_id, id, type,
               json_build_object(
                   'type', type,
                   'timestamp', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'data', jsonb_build_object('subject_id', subject_id, 'number', number) || data)::text,
               created_at
        FROM message
    )
    INSERT INTO viral.webhook_deliveries (
        tenant_id, id, endpoint_id, message_id, event_type, subject_id, number, due_at, created_at)
    SELECT wanted.tenant_id, viral.uuid_v7(), wanted.endpoint_id, message.id, wanted.type, wanted.subject_id, wanted.number,
           now(), wanted.created_at
    FROM wanted
    JOIN message USING (tenant_id, subject_id, number);
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_webhooks AFTER INSERT ON viral.events
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION viral.queue_webhooks();
