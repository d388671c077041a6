using Npgsql;
using ViralEngine.LocalHost.Timers;

namespace ViralEngine.LocalHost.Durable;

/// <summary>The PostgreSQL schema <c>local_durable</c> that holds orchestrations.</summary>
public static class LocalDurableSchema
{
    private const long AdvisoryLock = 0x6c6f63616c647572;

    /// <summary>The version of stored histories: 1 was replayed by the engine itself, 2 by the worker.</summary>
    private const int Version = 2;

    /// <summary>
    /// Creates or upgrades the schema. Idempotent, also concurrently. Requires the right to create a schema, which the
    /// app does not have.
    /// </summary>
    /// <param name="connectionString">A connection that reaches PostgreSQL itself, not a transaction pooler.</param>
    /// <param name="ct">Cancels the installation, which then leaves nothing behind.</param>
    /// <returns>How many unfinished orchestrations of an earlier version were abandoned.</returns>
    public static Task<int> InstallAsync(string connectionString, CancellationToken ct) =>
        InstallAsync(connectionString, null, ct);

    /// <summary>As above, and lets a role that may not create anything use the schema.</summary>
    /// <param name="connectionString">A connection that reaches PostgreSQL itself, not a transaction pooler.</param>
    /// <param name="appRole">The role that the app connects with; null for none.</param>
    /// <param name="ct">Cancels the installation, which then leaves nothing behind.</param>
    /// <returns>How many unfinished orchestrations of an earlier version were abandoned.</returns>
    public static async Task<int> InstallAsync(string connectionString, string? appRole, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection)
        {
            Parameters = { new() { Value = AdvisoryLock } },
        };
        await take.ExecuteNonQueryAsync(ct);
        var abandoned = await AbandonAsync(connection, ct);
        await using var create = new NpgsqlCommand(Tables, connection);
        await create.ExecuteNonQueryAsync(ct);
        await using var timers = new NpgsqlCommand(TimerStore.Table, connection);
        await timers.ExecuteNonQueryAsync(ct);
        if (appRole is not null) await GrantAsync(connection, appRole, ct);
        await transaction.CommitAsync(ct);
        return abandoned;
    }

    // Histories of another version cannot be replayed. The work itself is in the app's rows, from which its sweeps
    // restart it.
    private static async Task<int> AbandonAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (!await ExistsAsync(connection, "instances", ct)) return 0;
        var version = await ExistsAsync(connection, "schema_version", ct)
            ? await ScalarAsync<int>(connection, "SELECT version FROM local_durable.schema_version", ct)
            : 1;
        if (version == Version) return 0;
        if (version > Version)
        {
            throw new InvalidOperationException(
                $"The schema local_durable of this database has version {version}; "
                + $"this build knows versions up to {Version}. Start the newer build, or use another database.");
        }

        var abandoned = await ScalarAsync<int>(
            connection, "SELECT count(*)::int FROM local_durable.instances WHERE status IN (0, 6, 7)", ct);
        await using var clear = new NpgsqlCommand(
            """
            TRUNCATE local_durable.instances, local_durable.history, local_durable.inbox, local_durable.activities,
                local_durable.workers
            """,
            connection);
        await clear.ExecuteNonQueryAsync(ct);
        return abandoned;
    }

    private static Task<bool> ExistsAsync(NpgsqlConnection connection, string table, CancellationToken ct) =>
        ScalarAsync<bool>(connection, $"SELECT to_regclass('local_durable.{table}') IS NOT NULL", ct);

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task GrantAsync(NpgsqlConnection connection, string appRole, CancellationToken ct)
    {
        // A role is an identifier, which cannot be a parameter: format() quotes it on the server.
        await using var write = new NpgsqlCommand(
            """
            SELECT format('GRANT USAGE ON SCHEMA local_durable TO %1$I;'
                || 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA local_durable TO %1$I;'
                || 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA local_durable TO %1$I', $1)
            """,
            connection)
        {
            Parameters = { new() { Value = appRole } },
        };
        await using var grant = new NpgsqlCommand((string)(await write.ExecuteScalarAsync(ct))!, connection);
        await grant.ExecuteNonQueryAsync(ct);
    }

    // Status numbers are those of OrchestrationStatus: 0 running, 6 pending and 7 suspended are unfinished.
    private const string Tables =
        """
        CREATE SCHEMA IF NOT EXISTS local_durable;

        CREATE TABLE IF NOT EXISTS local_durable.schema_version (
            only_one boolean NOT NULL DEFAULT true CONSTRAINT schema_version_pk PRIMARY KEY,
            version  integer NOT NULL,
            CONSTRAINT schema_version_one CHECK (only_one)
        );
        INSERT INTO local_durable.schema_version (version) VALUES (2)
        ON CONFLICT (only_one) DO UPDATE SET version = EXCLUDED.version
            WHERE schema_version.version <> EXCLUDED.version;

        -- A process that runs orchestrations. Its id is the fencing token of all that it leases: who has been declared
        -- dead never comes back under the same number.
        CREATE TABLE IF NOT EXISTS local_durable.workers (
            worker_id   bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT workers_pk PRIMARY KEY,
            host        text NOT NULL,
            process_id  integer NOT NULL,
            alive_until timestamptz NOT NULL
        );

        CREATE TABLE IF NOT EXISTS local_durable.instances (
            instance_id         text COLLATE "C" NOT NULL CONSTRAINT instances_pk PRIMARY KEY,
            execution_id        uuid NOT NULL,
            name                text NOT NULL,
            version             text,
            status              smallint NOT NULL CONSTRAINT instances_status_known CHECK (status BETWEEN 0 AND 7),
            seq                 integer NOT NULL DEFAULT 0,
            input               text,
            output              text,
            custom_status       text,
            failure             text,
            tags                text,
            parent_id           text COLLATE "C",
            parent_execution_id uuid,
            parent_name         text,
            parent_task_id      integer,
            trace_parent        text,
            created_at          timestamptz NOT NULL,
            updated_at          timestamptz NOT NULL,
            due_at              timestamptz,
            lease_owner         bigint,
            claim_no            integer NOT NULL DEFAULT 0,
            commit_id           uuid,
            CONSTRAINT instances_finished_at_rest
                CHECK (status IN (0, 6, 7) OR (due_at IS NULL AND lease_owner IS NULL))
        ) WITH (fillfactor = 80);
        CREATE INDEX IF NOT EXISTS instances_due ON local_durable.instances (due_at) WHERE due_at IS NOT NULL;
        CREATE INDEX IF NOT EXISTS instances_leased ON local_durable.instances (lease_owner)
            WHERE lease_owner IS NOT NULL;
        CREATE INDEX IF NOT EXISTS instances_parent ON local_durable.instances (parent_id) WHERE parent_id IS NOT NULL;
        CREATE INDEX IF NOT EXISTS instances_created ON local_durable.instances USING brin (created_at);

        -- One row a step: what arrived, and what the orchestrator did about it.
        CREATE TABLE IF NOT EXISTS local_durable.history (
            instance_id  text COLLATE "C" NOT NULL,
            execution_id uuid NOT NULL,
            seq          integer NOT NULL,
            event_count  integer NOT NULL,
            events       text NOT NULL,
            CONSTRAINT history_pk PRIMARY KEY (instance_id, execution_id, seq)
        );

        -- What an instance has not looked at yet. Without an execution it is for whichever execution comes to it.
        CREATE TABLE IF NOT EXISTS local_durable.inbox (
            message_id   bigint GENERATED ALWAYS AS IDENTITY,
            instance_id  text COLLATE "C" NOT NULL,
            execution_id uuid,
            event        text NOT NULL,
            CONSTRAINT inbox_pk PRIMARY KEY (instance_id, message_id)
        );

        CREATE TABLE IF NOT EXISTS local_durable.activities (
            instance_id  text COLLATE "C" NOT NULL,
            execution_id uuid NOT NULL,
            task_id      integer NOT NULL,
            name         text NOT NULL,
            input        text,
            trace_parent text,
            queue_at     timestamptz NOT NULL,
            lease_owner  bigint,
            CONSTRAINT activities_pk PRIMARY KEY (instance_id, execution_id, task_id)
        );
        CREATE INDEX IF NOT EXISTS activities_queued ON local_durable.activities (queue_at) WHERE lease_owner IS NULL;
        CREATE INDEX IF NOT EXISTS activities_leased ON local_durable.activities (lease_owner)
            WHERE lease_owner IS NOT NULL;

        -- Rows come and go here: what is dead is swept early, whatever the size.
        ALTER TABLE local_durable.activities
            SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
        ALTER TABLE local_durable.inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
        """;
}
