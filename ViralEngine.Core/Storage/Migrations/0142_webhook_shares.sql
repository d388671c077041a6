-- How quickly the endpoint answers: NULL until it has. Only one that is known to be quick takes more than its first places.
ALTER TABLE viral.webhook_endpoints ADD COLUMN pace text;
ALTER TABLE viral.webhook_endpoints ADD CONSTRAINT webhook_endpoints_pace_known CHECK (pace IN ('fast', 'slow'));

-- Claims that were given back without a call: the API does not count them as attempts.
ALTER TABLE viral.webhook_deliveries ADD COLUMN held integer NOT NULL DEFAULT 0;
