-- Sessions of the console carry the number that was here when they began. To sign out everywhere is to count on: they end.
ALTER TABLE viral.api_keys ADD COLUMN sessions integer NOT NULL DEFAULT 0;
ALTER TABLE viral.members ADD COLUMN sessions integer NOT NULL DEFAULT 0;
