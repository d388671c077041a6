using DbUp;
using DbUp.Engine;
using Npgsql;

namespace ViralEngine.Core.Storage;

/// <summary>
/// Migrates a database with the numbered scripts of this assembly. Forward-only; safe to run concurrently.
/// </summary>
public static class Migrator
{
    private const long LockKey = 0x5649_5241_4c00; // "VIRAL"

    /// <summary>Runs all pending scripts, each in its own transaction.</summary>
    /// <returns>The names of the scripts run.</returns>
    /// <exception cref="MigrationException">A script failed; earlier ones are kept.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(string connectionString, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(ct);
        await using (var take = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection))
        {
            take.Parameters.AddWithValue(LockKey);
            await take.ExecuteNonQueryAsync(ct);
        }

        var upgrade = DeployChanges.To
            .PostgresqlDatabase(connectionString)
            .WithScriptsEmbeddedInAssembly(
                typeof(Migrator).Assembly, name => name.EndsWith(".sql", StringComparison.Ordinal))
            .WithVariablesDisabled()
            .WithTransactionPerScript()
            .JournalToPostgresqlTable("public", "viral_migrations")
            .LogToNowhere()
            .Build();
        var result = upgrade.PerformUpgrade();
        if (!result.Successful)
            throw new MigrationException(result);
        return [.. result.Scripts.Select(script => script.Name)];
    }
}

/// <summary>A migration failed. The message has the script and the server's error.</summary>
public sealed class MigrationException(DatabaseUpgradeResult result)
    : Exception(
        $"Migration {result.ErrorScript?.Name ?? "(before the first script)"} failed: {result.Error.Message}",
        result.Error);
