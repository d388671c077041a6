using ViralEngine.Core.Storage;

namespace ViralEngine.Dev;

/// <summary>Brings the database that VIRAL_CONNECTION names up to date, as its owner.</summary>
internal static class MigrateCommand
{
    public static async Task<int> RunAsync(CancellationToken ct)
    {
        var connectionString = CommandOptions.RequireSecret("VIRAL_CONNECTION");
        try
        {
            foreach (var script in await Migrator.MigrateAsync(connectionString, ct))
                Console.Error.WriteLine($"migrated {script}");
            return 0;
        }
        catch (Exception fault) when (fault is MigrationException or Npgsql.NpgsqlException)
        {
            Console.Error.WriteLine($"dev: {fault.Message}");
            return 1;
        }
    }
}
