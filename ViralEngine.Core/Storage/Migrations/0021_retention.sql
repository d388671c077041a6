-- What is past its retention is found by age. Rows lie in the order of their creation, so a summary of each range of pages does,
-- and costs next to nothing on each insert.
CREATE INDEX tasks_by_age ON viral.tasks USING brin (created_at);
