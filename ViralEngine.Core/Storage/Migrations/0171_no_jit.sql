-- Statements here are short and run often: to compile one (JIT) takes longer than a lease, and to run it milliseconds. Who migrates
-- without owning the database has to see to it.
DO $$
BEGIN
    IF (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) THEN
        EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
    END IF;
END
$$;
