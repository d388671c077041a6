-- The statements that end attempts record them themselves: from what they have at hand, once for each agent. Triggers copied every row
-- that they changed, and looked each task up again. What an instance of the version before ends from here on is not recorded.
DROP TRIGGER record_task_metrics ON viral.events;
DROP FUNCTION viral.record_task_metrics();
