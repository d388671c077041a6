-- Batches that are being received: their items are stored as they come, in short transactions, before the batch itself is. What is
-- refused, or given up by a process that died, is removed by the row here.
CREATE TABLE viral.batch_intakes (
    tenant_id uuid NOT NULL,
    batch_id uuid NOT NULL PRIMARY KEY,
    last_stored_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX batch_intakes_given_up ON viral.batch_intakes (last_stored_at);
CALL viral.isolate('viral.batch_intakes');
