SELECT bench.authenticate(:key_hash::text);
SELECT bench.post(:tenant::text::uuid);
