using Microsoft.Extensions.Configuration;
using Npgsql;
using ViralEngine.Core.Storage;

namespace ViralEngine.LocalHost.Timers;

/// <summary>
/// One row per timer, shared by every process of the app: when it runs next, and who is running it now. A run is held
/// by a lease of ten seconds of the database's clock, renewed while the run lasts; what a dead process was running is
/// free again when its lease ends.
/// </summary>
/// <exception cref="InvalidOperationException">There is no connection string.</exception>
internal sealed class TimerStore(IConfiguration settings) : IAsyncDisposable
{
    /// <summary>Installed together with the orchestrations' tables; the app's role may not create any.</summary>
    public const string Table =
        """
        CREATE TABLE IF NOT EXISTS local_durable.timers (
            name         text NOT NULL CONSTRAINT timers_pk PRIMARY KEY,
            schedule     text NOT NULL,
            next_run     timestamptz NOT NULL,
            last_run     timestamptz,
            updated_at   timestamptz NOT NULL DEFAULT now(),
            owner        uuid,
            locked_until timestamptz NOT NULL DEFAULT '-infinity'
        );
        """;

    public static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(3);

    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(
        settings.GetConnectionString("Postgres")
        ?? throw new InvalidOperationException(
            "Setting 'ConnectionStrings:Postgres' is missing. Timers keep their schedule in PostgreSQL."));

    /// <summary>Sets the clock, as soon as the database can be reached.</summary>
    public async Task SetAsync(DatabaseClock clock, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await using var command = source.CreateCommand("SELECT clock_timestamp()");
                clock.Set((DateTime)(await command.ExecuteScalarAsync(ct))!);
                return;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), ct);
            }
        }
    }

    /// <summary>
    /// Stores when the timer runs next, unless it is known from an earlier run with the same schedule that a <paramref
    /// name="forgetful"/> schedule has not dropped. A stored time that the schedule cannot have given comes from a
    /// wrong clock.
    /// </summary>
    public async Task RegisterAsync(
        string name, string schedule, DateTimeOffset next, DateTimeOffset now, bool forgetful, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            INSERT INTO local_durable.timers AS known (name, schedule, next_run)
            VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE
            SET schedule = $2, next_run = $3, updated_at = now()
            WHERE known.schedule <> $2
               OR known.next_run > $3 + interval '1 minute'
               OR ($5 AND known.next_run < $4 - interval '10 seconds' AND known.locked_until < now())
            """);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = schedule });
        command.Parameters.Add(new() { Value = next });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = forgetful });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>When the timer runs next; null when someone has removed its row.</summary>
    public async Task<DateTimeOffset?> NextRunAsync(string name, CancellationToken ct)
    {
        await using var command = source.CreateCommand("SELECT next_run FROM local_durable.timers WHERE name = $1");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteScalarAsync(ct) is DateTime next ? new DateTimeOffset(next) : null;
    }

    /// <summary>
    /// Claims the due run, or any run if <paramref name="early"/>. Null if it is no longer due or another process has
    /// it.
    /// </summary>
    public async Task<TimerRun?> TryClaimAsync(string name, DateTimeOffset now, bool early, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            UPDATE local_durable.timers
            SET owner = $3, locked_until = now() + interval '10 seconds'
            WHERE name = $1 AND (next_run <= $2 OR $4) AND locked_until < now()
            RETURNING last_run, next_run, updated_at
            """);
        var owner = Guid.CreateVersion7();
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = owner });
        command.Parameters.Add(new() { Value = early });
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return null;
        var last = await reader.IsDBNullAsync(0, ct) ? default : reader.GetDateTime(0);
        return new TimerRun(name, owner, last, reader.GetDateTime(1), reader.GetDateTime(2));
    }

    /// <summary>Renews a run for ten seconds. False if another process has it.</summary>
    public async Task<bool> TryRenewAsync(TimerRun run, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            UPDATE local_durable.timers
            SET locked_until = now() + interval '10 seconds'
            WHERE name = $1 AND owner = $2
            """);
        command.Parameters.Add(new() { Value = run.Name });
        command.Parameters.Add(new() { Value = run.Owner });
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Ends a run and sets the next one; without one, the run stays due.</summary>
    public async Task ReleaseAsync(TimerRun run, DateTimeOffset began, DateTimeOffset? next, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            UPDATE local_durable.timers
            SET owner = NULL,
                locked_until = '-infinity',
                last_run = CASE WHEN $4::timestamptz IS NULL THEN last_run ELSE $3 END,
                next_run = coalesce($4, next_run),
                updated_at = now()
            WHERE name = $1 AND owner = $2
            """);
        command.Parameters.Add(new() { Value = run.Name });
        command.Parameters.Add(new() { Value = run.Owner });
        command.Parameters.Add(new() { Value = began });
        command.Parameters.Add(new() { Value = (object?)next ?? DBNull.Value });
        await command.ExecuteNonQueryAsync(ct);
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
