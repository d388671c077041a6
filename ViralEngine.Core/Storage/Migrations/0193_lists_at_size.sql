-- Lists read a page: starting workers for a parallel plan takes longer than the page, even where its branch is never entered. Who migrates
-- without owning the database has to see to it.
DO $$
BEGIN
    IF (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) THEN
        EXECUTE format('ALTER DATABASE %I SET max_parallel_workers_per_gather = 0', current_database());
    END IF;
END
$$;

-- Finds the rows of a gate and has no order: with one, the planner read every gate of a tenant, newest first, for those that ask somebody.
DROP INDEX viral.approval_asks_of_gate;
CREATE INDEX approval_asks_of_gate ON viral.approval_asks USING hash (gate);
