-- In the order in which a claim takes them: of all that wait for an endpoint, it reads those it takes.
DROP INDEX viral.webhook_deliveries_queue;
CREATE INDEX webhook_deliveries_queue ON viral.webhook_deliveries (tenant_id, endpoint_id, due_at, id) WHERE status = 'pending';
