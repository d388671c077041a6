using System.Globalization;
using System.Text.Json;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>pg-boss from npm, settling each job by itself as the app does; it keeps its rows too.</summary>
internal static class PgBoss
{
    /// <returns>Jobs a second with the best of its settings, from starting the workers to the commit of the last
    /// completion.</returns>
    public static async Task<(double PerSecond, string Settings)> RunAsync(int jobs)
    {
        var folder = await InstallAsync();
        var postgres = new TestPostgres();
        await postgres.InitializeAsync();
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(postgres.AdminConnection);
            var output = await Command.RunAsync(
                Path.Combine(folder, "node_modules", ".bin", "node"),
                [Path.Combine(folder, "pg-boss.mjs"), jobs.ToString(CultureInfo.InvariantCulture)],
                new Dictionary<string, string>
                {
                    ["PGHOST"] = connection.Host!,
                    ["PGPORT"] = connection.Port.ToString(CultureInfo.InvariantCulture),
                    ["PGUSER"] = connection.Username!,
                    ["PGPASSWORD"] = connection.Password ?? "",
                    ["PGDATABASE"] = connection.Database!,
                });
            var result = JsonDocument.Parse(output.Trim().Split('\n')[^1]).RootElement;
            return (result.GetProperty("jobs_per_second").GetDouble(), result.GetProperty("settings").GetRawText());
        }
        finally
        {
            await postgres.DisposeAsync();
        }
    }

    /// <summary>Into a folder that git ignores, once.</summary>
    private static async Task<string> InstallAsync()
    {
        var folder = Path.Combine(Repository.Root, ".local", "bench-batch");
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "package.json", "pg-boss.mjs" })
            File.Copy(
                Path.Combine(Repository.Root, "tests", "bench", "batch", file), Path.Combine(folder, file),
                overwrite: true);
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "pg-boss")))
        {
            await Command.RunAsync(
                "npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"],
                new Dictionary<string, string>());
        }

        return folder;
    }
}
