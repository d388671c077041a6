using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>
/// The practical limit of a table of jobs: eight workers that claim two hundred rows and complete two hundred, a
/// statement each.
/// </summary>
internal static class RawLoop
{
    private const int Workers = 8;
    private const int Batch = 200;

    /// <returns>Jobs a second, from starting the workers to the commit of the last completion.</returns>
    public static async Task<double> RunAsync(int jobs)
    {
        var postgres = new TestPostgres();
        await postgres.InitializeAsync();
        try
        {
            await using var db = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(postgres.AdminConnection) { Pooling = true }.ConnectionString);
            await FillAsync(db, jobs);
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() => DrainAsync(db))));
            return jobs / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            await postgres.DisposeAsync();
        }
    }

    private static async Task FillAsync(NpgsqlDataSource db, int jobs)
    {
        await using var connection = await db.OpenConnectionAsync();
        await using var create = new NpgsqlCommand(
            """
            CREATE TABLE jobs (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                payload bigint NOT NULL,
                state smallint NOT NULL DEFAULT 0,
                attempts int NOT NULL DEFAULT 0,
                locked_until timestamptz,
                created_at timestamptz NOT NULL DEFAULT now(),
                completed_at timestamptz
            ) WITH (fillfactor = 70);
            CREATE INDEX ON jobs (id) WHERE state = 0;
            """,
            connection);
        await create.ExecuteNonQueryAsync();
        await using (var import = await connection.BeginBinaryImportAsync(
            "COPY jobs (payload) FROM STDIN (FORMAT binary)"))
        {
            for (long i = 0; i < jobs; i++)
            {
                await import.StartRowAsync();
                await import.WriteAsync(i, NpgsqlDbType.Bigint);
            }

            await import.CompleteAsync();
        }

        await using var checkpoint = new NpgsqlCommand("CHECKPOINT", connection);
        await checkpoint.ExecuteNonQueryAsync();
    }

    private static async Task DrainAsync(NpgsqlDataSource db)
    {
        await using var connection = await db.OpenConnectionAsync();
        await using var claim = new NpgsqlCommand(
            """
            WITH claimed AS (
                SELECT id FROM jobs WHERE state = 0 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            UPDATE jobs SET state = 1, attempts = attempts + 1, locked_until = now() + interval '30 seconds'
            FROM claimed WHERE jobs.id = claimed.id
            RETURNING jobs.id
            """,
            connection)
        { Parameters = { new() { Value = Batch } } };
        await using var complete = new NpgsqlCommand(
            "UPDATE jobs SET state = 2, completed_at = now() WHERE id = ANY ($1) AND state = 1", connection)
        {
            Parameters = { new NpgsqlParameter<long[]>() },
        };
        await claim.PrepareAsync();
        await complete.PrepareAsync();
        var ids = new List<long>(Batch);
        do
        {
            ids.Clear();
            await using (var claimed = await claim.ExecuteReaderAsync())
            {
                while (await claimed.ReadAsync())
                    ids.Add(claimed.GetInt64(0));
            }

            complete.Parameters[0].Value = ids.ToArray();
            await complete.ExecuteNonQueryAsync();
        }
        while (ids.Count > 0);
    }
}
