using Npgsql;
using static ViralEngine.LocalHost.Durable.DurableDatabase;

namespace ViralEngine.LocalHost.Durable;

/// <summary>Tracks live processes, and frees the work of dead ones.</summary>
internal sealed class WorkerStore(DurableDatabase database)
{
    /// <summary>Registers this process; the number it gets is its fencing token.</summary>
    public async Task<long> RegisterAsync(TimeSpan lease, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            INSERT INTO local_durable.workers (host, process_id, alive_until)
            VALUES ($1, $2, clock_timestamp() + $3)
            RETURNING worker_id
            """);
        command.Parameters.Add(Parameter.Of(Environment.MachineName));
        command.Parameters.Add(Parameter.Of(Environment.ProcessId));
        command.Parameters.Add(Parameter.Of(lease));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>
    /// Renews all leases of this process, and frees those of processes that are gone.
    /// </summary>
    /// <param name="workerId">This process.</param>
    /// <param name="lease">From now.</param>
    /// <param name="takesOver">Whether processes that have not renewed their leases are taken for gone.</param>
    /// <param name="ct">Gives it up.</param>
    public async Task<Pulse> BeatAsync(long workerId, TimeSpan lease, bool takesOver, CancellationToken ct)
    {
        await using var batch = database.Batch(
            Statement(
                "UPDATE local_durable.workers SET alive_until = clock_timestamp() + $2 WHERE worker_id = $1",
                Parameter.Of(workerId),
                Parameter.Of(lease)),
            Statement(
                "DELETE FROM local_durable.workers WHERE alive_until < clock_timestamp() AND $1",
                Parameter.Of(takesOver)),
            FreeInstances(),
            FreeActivities(),
            Statement(
                """
                SELECT count(*) FILTER (WHERE worker_id <> $1), count(*) FILTER (WHERE worker_id = $1)
                FROM local_durable.workers
                """,
                Parameter.Of(workerId)));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var others = (int)reader.GetInt64(0);
        var alive = reader.GetInt64(1) == 1;
        await reader.CloseAsync();
        var freed = batch.BatchCommands[2].RecordsAffected + batch.BatchCommands[3].RecordsAffected;
        return new(alive, others, (int)freed);
    }

    /// <summary>Releases all leases of this process immediately.</summary>
    public async Task ReleaseAsync(long workerId, CancellationToken ct)
    {
        await using var batch = database.Batch(
            Statement("DELETE FROM local_durable.workers WHERE worker_id = $1", Parameter.Of(workerId)),
            FreeInstances(),
            FreeActivities());
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>How long the store takes to answer.</summary>
    public async Task<TimeSpan> PingAsync(CancellationToken ct)
    {
        var begun = TimeProvider.System.GetTimestamp();
        await using var command = database.Source.CreateCommand("SELECT 1 FROM local_durable.workers LIMIT 1");
        await command.ExecuteScalarAsync(ct);
        return TimeProvider.System.GetElapsedTime(begun);
    }

    private static NpgsqlBatchCommand FreeInstances() => Statement(
        """
        UPDATE local_durable.instances i
        SET lease_owner = NULL, due_at = LEAST(i.due_at, now())
        FROM (
            SELECT DISTINCT lease_owner FROM local_durable.instances WHERE lease_owner IS NOT NULL
            EXCEPT
            SELECT worker_id FROM local_durable.workers
        ) AS dead
        WHERE i.lease_owner = dead.lease_owner
        """);

    private static NpgsqlBatchCommand FreeActivities() => Statement(
        """
        UPDATE local_durable.activities a
        SET lease_owner = NULL
        FROM (
            SELECT DISTINCT lease_owner FROM local_durable.activities WHERE lease_owner IS NOT NULL
            EXCEPT
            SELECT worker_id FROM local_durable.workers
        ) AS dead
        WHERE a.lease_owner = dead.lease_owner
        """);

    /// <param name="Alive">Whether this process still holds its leases.</param>
    /// <param name="Others">Other processes alive.</param>
    /// <param name="Freed">Instances and activities taken from the dead.</param>
    internal readonly record struct Pulse(bool Alive, int Others, int Freed);
}
