-- Kept are the answers of requests that were executed: successes (a form's is where to look next), and what was refused on its
-- merits.
ALTER TABLE viral.idempotency_keys DROP CONSTRAINT idempotency_keys_claimed_or_answered;
ALTER TABLE viral.idempotency_keys ADD CONSTRAINT idempotency_keys_claimed_or_answered CHECK (
    (status IS NULL AND lease_until IS NOT NULL AND fingerprint IS NULL AND answer IS NULL)
    OR ((status BETWEEN 200 AND 299 OR status IN (303, 404, 409, 410, 422)) AND lease_until IS NULL AND length(fingerprint) = 32
        AND body_length IS NOT NULL AND answer IS NOT NULL));
