-- The statements that end attempts record them themselves: from what they have at hand, once for each agent. Triggers copied every row
-- that they changed, and looked each task up again.
DROP TRIGGER record_task_metrics ON viral.events;
DROP FUNCTION viral.record_task_metrics();
DROP TRIGGER record_item_metrics ON viral.batch_items;
DROP FUNCTION viral.record_item_metrics();
