CREATE TABLE viral.agents (
    tenant_id uuid NOT NULL REFERENCES viral.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL,
    settings jsonb NOT NULL,
    -- Sealed JSON of the API key and secret headers; what may be shown of them stands beside it.
    secrets bytea,
    api_key_hint text,
    secret_header_names text[] NOT NULL DEFAULT '{}',
    -- Tried in this order. One that is deleted at the very moment it is named here is passed over when the agent runs.
    fallback_agent_ids uuid[] NOT NULL DEFAULT '{}',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT agents_name_once UNIQUE (tenant_id, name),
    CONSTRAINT agents_name_length CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT agents_name_not_built_in CHECK (name NOT IN ('echo', 'http')),
    CONSTRAINT agents_kind_known CHECK (kind IN ('echo', 'http', 'openai')),
    CONSTRAINT agents_fallbacks_few CHECK (cardinality(fallback_agent_ids) <= 5),
    CONSTRAINT agents_fallback_is_another CHECK (NOT id = ANY (fallback_agent_ids)),
    CONSTRAINT agents_hint_has_secret CHECK (secrets IS NOT NULL OR (api_key_hint IS NULL AND secret_header_names = '{}'))
);
CALL viral.isolate('viral.agents');
