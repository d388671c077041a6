using System.Net;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>
/// POST /api/tasks and GET /api/tasks/{id} from 16 connections, against pgbench that runs the very statements of those
/// requests from 16 clients on the same server: what is left for HTTP, authentication, checks and JSON. Tasks are
/// scheduled for tomorrow, so that only the request is measured and not its work.
/// </summary>
internal static class RequestBench
{
    private const int Connections = 16;
    private const int Seconds = 10;
    public const int Tasks = 1_000;

    public static async Task RunAsync(BenchStack stack)
    {
        var keyHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stack.ApiKey)));
        var variables = new Dictionary<string, string>
        {
            ["key_hash"] = keyHash,
            ["tenant"] = stack.Tenant.ToString(),
            ["tasks"] = $"{Tasks}",
            ["most"] = "0",
        };

        await CopyAsync(stack);

        await CompareAsync(stack, "POST /api/tasks", "post.lua", "/api/tasks", "post.sql", variables);
        await CompareAsync(stack, "GET /api/tasks/{id}", "get.lua", "/api/tasks/", "get.sql", variables);
    }

    /// <summary>Tasks to read, with ids that wrk and pgbench can make up: copies of one, made once.</summary>
    public static async Task CopyAsync(BenchStack stack)
    {
        using var client = stack.App.NewClient(stack.ApiKey);
        var task = (await client.PostAsync("/api/tasks", new { agent_id = "echo", description = "one to read" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetGuid();
        await Eventually.GetAsync(
            () => client.GetAsync($"/api/tasks/{task}"),
            answer => answer.Json.GetProperty("status").GetString() == "completed",
            "the task to complete");
        await using var admin = NpgsqlDataSource.Create(stack.Postgres.AdminConnection);
        await using var copy = admin.CreateCommand(
            """
            INSERT INTO viral.tasks
            SELECT (jsonb_populate_record(
                task, jsonb_build_object('id', '00000000-0000-7000-8000-' || lpad(number::text, 12, '0')))).*
            FROM viral.tasks AS task, generate_series(1, $2) AS number
            WHERE task.id = $1
            ON CONFLICT DO NOTHING
            """);
        copy.Parameters.Add(new() { Value = task });
        copy.Parameters.Add(new() { Value = Tasks });
        await copy.ExecuteNonQueryAsync();
    }

    private static async Task CompareAsync(
        BenchStack stack, string name, string lua, string path, string sql, Dictionary<string, string> variables)
    {
        var wrk = new Wrk(new Uri(stack.App.Address, path), Connections, lua, EnvironmentOf(stack));
        await wrk.WarmUpAsync();
        var ours = await wrk.RunAsync(Seconds);
        var theirs = await PgBench.RunAsync(
            stack.Postgres.AdminConnection, Path.Combine(AppContext.BaseDirectory, "sql", sql), variables, Connections,
            Seconds);

        Report.Line(
            $"{name}, {Connections} connections",
            $"{ours.PerSecond,7:0} /s   p50 {ours.P50Ms:0.0} ms   p99 {ours.P99Ms:0.0} ms",
            $"{ours.PerSecond / theirs:0.00} of pgbench ({theirs:0} /s)");
    }

    /// <summary>What the scripts of wrk read.</summary>
    public static Dictionary<string, string> EnvironmentOf(BenchStack stack) =>
        new() { ["VIRAL_API_KEY"] = stack.ApiKey, ["VIRAL_TASKS"] = $"{Tasks}" };
}
