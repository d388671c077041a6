SELECT bench.authenticate(:key_hash::text);
SELECT bench.get(:tenant::text::uuid, :task::text::uuid);
