using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace ViralEngine.Bench;

/// <summary>Runs a script of statements by PostgreSQL's own load generator, prepared.</summary>
internal static partial class PgBench
{
    /// <returns>Scripts a second.</returns>
    public static async Task<double> RunAsync(
        string connectionString, string script, IReadOnlyDictionary<string, string> variables, int clients, int seconds)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var environment = new Dictionary<string, string>
        {
            ["PGHOST"] = connection.Host!,
            ["PGPORT"] = connection.Port.ToString(CultureInfo.InvariantCulture),
            ["PGUSER"] = connection.Username!,
            ["PGPASSWORD"] = connection.Password ?? "",
            ["PGDATABASE"] = connection.Database!,
        };
        var output = await Command.RunAsync(
            Program(),
            [
                "-n", "-M", "prepared", "-c", $"{clients}", "-j", "2", "-T", $"{seconds}", "-f", script,
                .. variables.SelectMany(variable => new[] { "-D", $"{variable.Key}={variable.Value}" }),
            ],
            environment);
        return double.Parse(Rate().Match(output).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    /// <summary>On the path, or in the newest of Debian's folders.</summary>
    private static string Program() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
                .Select(folder => Path.Combine(folder, "bin", "pgbench"))
                .FirstOrDefault(File.Exists) ?? "pgbench"
            : "pgbench";

    [GeneratedRegex(@"tps = ([0-9.]+)")]
    private static partial Regex Rate();
}
