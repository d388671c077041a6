-- Refresh tokens of the console's sessions while they are redeemed, and for some minutes what they were given: requests in flight with
-- the old one get the same. No tenant's: a person may belong to several, or to none yet.
CREATE TABLE viral.session_refreshes (
    token_hash bytea PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT now(),
    -- Sealed; null while the provider is asked.
    tokens bytea,
    CONSTRAINT session_refreshes_hash CHECK (length(token_hash) = 32)
);
CREATE INDEX session_refreshes_age ON viral.session_refreshes (began_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON viral.session_refreshes TO viral_sweeper;
ALTER TABLE viral.session_refreshes ENABLE ROW LEVEL SECURITY;
ALTER TABLE viral.session_refreshes FORCE ROW LEVEL SECURITY;
CREATE POLICY above_tenants ON viral.session_refreshes TO viral_sweeper USING (true) WITH CHECK (true);
