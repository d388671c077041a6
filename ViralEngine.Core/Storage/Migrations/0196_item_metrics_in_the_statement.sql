-- By itself: a lock on one table at a time.
DROP TRIGGER record_item_metrics ON viral.batch_items;
DROP FUNCTION viral.record_item_metrics();
