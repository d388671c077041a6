using System.Diagnostics;
using Npgsql;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;
using ViralEngine.Testing.Lists;

namespace ViralEngine.Bench;

/// <summary>
/// Every filter of every list, over ten thousand rows and over a million and, where time and disk allow, over ten
/// million: how much longer the larger takes, and how many blocks it looks at.
/// </summary>
internal static class ListBench
{
    private const int Rounds = 21;
    private static readonly TimeSpan MaxFill = TimeSpan.FromMinutes(6);
    private static readonly int[] Sizes = [10_000, 1_000_000, 10_000_000];

    public static async Task RunAsync()
    {
        var now = DateTime.UtcNow;
        var smallest = new Dictionary<ListCase, double>();
        var (took, bytes) = (TimeSpan.Zero, 0L);
        foreach (var rows in Sizes)
        {
            if (rows == Sizes[^1] && (10 * took > MaxFill || 12 * bytes > FreeBytes()))
            {
                Report.Line(
                    $"lists of {rows:N0} rows",
                    $"left out: {Sizes[^2]:N0} took {took.TotalSeconds:0} s and {bytes >> 20:N0} MB");
                continue;
            }

            // A database for each size, so that the smaller is small all through.
            var postgres = new TestPostgres();
            await postgres.InitializeAsync();
            try
            {
                var tenant = new TenantId(Guid.CreateVersion7());
                var began = Stopwatch.GetTimestamp();
                await ManyRows.FillAsync(postgres.AdminConnection, tenant, rows, now);
                (took, bytes) = (Stopwatch.GetElapsedTime(began), await SizeAsync(postgres.AdminConnection));
                Report.Line($"lists of {rows:N0} rows", $"made in {took.TotalSeconds:0} s, {bytes >> 20:N0} MB");
                await using var db = postgres.NewDb();
                foreach (var list in ListCase.All)
                {
                    var median = await MedianAsync(list, db, tenant, now);
                    smallest.TryAdd(list, median);
                    Report.Line(
                        $"  {list}",
                        $"{median,7:0.00} ms, {(await ListReading.OfAsync(list, db, tenant, now)).Blocks} blocks",
                        rows == Sizes[0] ? null : $"{median / smallest[list]:0.0} times the time of {Sizes[0]:N0}");
                }
            }
            finally
            {
                await postgres.DisposeAsync();
            }
        }
    }

    private static async Task<double> MedianAsync(ListCase list, Db db, TenantId tenant, DateTime now)
    {
        var times = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var began = Stopwatch.GetTimestamp();
            await list.CallAsync(db, tenant, now);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        times.Sort();
        return Report.Percentile(times, 0.5);
    }

    private static async Task<long> SizeAsync(string connectionString)
    {
        await using var admin = new NpgsqlConnection(connectionString);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT pg_database_size(current_database())", admin);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Of the disk that temporary files are on: the throwaway servers keep their data there.</summary>
    private static long FreeBytes() => new DriveInfo(Path.GetTempPath()).AvailableFreeSpace;
}
