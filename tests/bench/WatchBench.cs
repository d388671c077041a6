using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Alerts.Detection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Storage;

namespace ViralEngine.Bench;

/// <summary>
/// A minute of 5,000 organizations, each watched by its six rules, judged by one instance: the timer's own use case.
/// </summary>
internal static class WatchBench
{
    private const int Organizations = 5_000;
    private const int Learnt = 20 * 1440;
    private const int Minutes = 5;

    public static async Task RunAsync(BenchStack stack)
    {
        await using var dataSource = PostgresDataSource.Create(stack.Postgres.AppConnection + ";Command Timeout=600");
        var start = new DateTime(2031, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await SeedAsync(stack.Postgres.AdminConnection, start);

        var took = new List<double>();
        for (var minute = 0; minute < Minutes; minute++)
        {
            var clock = new FixedTime(start.AddMinutes(minute + 1).AddSeconds(10));
            await using var db = new Db(dataSource);
            var detection = new DetectAnomalies(
                db, new MetricRollup(db, clock), new AuditStore(db), clock, NullLogger<DetectAnomalies>.Instance);
            var started = Stopwatch.GetTimestamp();
            if (!await detection.JudgeNextAsync(CancellationToken.None))
                throw new InvalidOperationException("There was no minute to judge.");
            took.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        took.Sort();
        Report.Line(
            $"{Organizations:N0} organizations × 6 series, one minute",
            $"{Report.Percentile(took, 0.5):0.0} s (longest {took[^1]:0.0})",
            $"{Report.Percentile(took, 0.5) / 10:0.00} of the ten seconds it may take");
    }

    private static async Task SeedAsync(string connectionString, DateTime start)
    {
        await using var admin = new NpgsqlConnection(connectionString + ";Command Timeout=600");
        await admin.OpenAsync();
        await ExecuteAsync("UPDATE viral.metric_progress SET until = $1 WHERE name = 'minute'", start);
        await ExecuteAsync(
            "INSERT INTO viral.organizations (id, name) SELECT gen_random_uuid(), 'bench' FROM generate_series(1, $1)",
            Organizations);
        foreach (var (metric, kind) in new[]
        {
            ("error_rate", SeriesKind.Rate), ("latency", SeriesKind.Amount), ("cost_per_task", SeriesKind.Amount),
            ("failures", SeriesKind.Count), ("throughput", SeriesKind.Count), ("queue_age", SeriesKind.Value),
        })
        {
            await ExecuteAsync(
                """
                INSERT INTO viral.series_states (tenant_id, metric, agent_id, mode, state)
                SELECT id, $1, '', 'anomaly', $2
                FROM viral.organizations
                """,
                metric, Learn(kind, start));
        }

        await ExecuteAsync(
            """
            INSERT INTO viral.metric_points (
                tenant_id, at, agent_id, provider, model, completed, failed, retried, input_tokens, output_tokens,
                cost_usd, latencies, latency_log_sum)
            SELECT organization.id, $1::timestamptz + minute * interval '1 minute', 'echo', 'echo', '', 20, 0, 0, 100,
                   100, 0.1,
                   array_fill(190, ARRAY[20]), 14
            FROM viral.organizations AS organization
            CROSS JOIN generate_series(0, $2 - 1) AS minute
            """,
            start, Minutes);

        async Task ExecuteAsync(string sql, params object[] args)
        {
            await using var command = new NpgsqlCommand(sql, admin);
            foreach (var arg in args)
                command.Parameters.Add(new() { Value = arg });
            await command.ExecuteNonQueryAsync();
        }
    }

    private static byte[] Learn(SeriesKind kind, DateTime start)
    {
        var detector = new SeriesDetector(kind);
        var random = new Random(1);
        for (var minute = 0; minute < Learnt; minute++)
        {
            var at = Observation.MinuteOf(start) - Learnt + minute;
            detector.Observe(kind switch
            {
                SeriesKind.Rate => new(at, random.Next(50) == 0 ? 1 : 0, 20),
                SeriesKind.Count => new(at, random.Next(15, 26), 1),
                SeriesKind.Amount => new(at, 0.7 + (0.1 * random.NextDouble()), 20),
                _ => new(at, random.NextDouble(), 1),
            });
        }

        return detector.Write();
    }

    private sealed class FixedTime(DateTime now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
