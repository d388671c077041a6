using System.Net;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace ViralEngine.Bench;

/// <summary>
/// POST /api/tasks and GET /api/tasks/{id} from 16 connections, against pgbench that runs the very statements of those requests
/// from 16 clients on the same server: what is left for HTTP, authentication, checks and JSON. Tasks are scheduled for
/// tomorrow, so that only the request is measured and not its work.
/// </summary>
internal static class RequestBench
{
    private const int Connections = 16;
    private const int Seconds = 10;

    public static async Task RunAsync(BenchStack stack)
    {
        using var client = stack.App.NewClient(stack.ApiKey);
        var task = (await client.PostAsync("/api/tasks", new { agent_id = "echo", description = "one to read" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetGuid();
        var keyHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stack.ApiKey)));
        var variables = new Dictionary<string, string>
        {
            ["key_hash"] = keyHash,
            ["tenant"] = stack.Tenant.ToString(),
            ["task"] = task.ToString(),
        };

        await using (var admin = NpgsqlDataSource.Create(stack.Postgres.AdminConnection))
        await using (var functions = admin.CreateCommand(await File.ReadAllTextAsync(Asset("sql", "functions.sql"))))
            await functions.ExecuteNonQueryAsync();

        await CompareAsync(stack, "POST /api/tasks", "post.lua", "/api/tasks", "post.sql", variables);
        await CompareAsync(stack, "GET /api/tasks/{id}", "get.lua", $"/api/tasks/{task}", "get.sql", variables);
    }

    private static async Task CompareAsync(
        BenchStack stack, string name, string lua, string path, string sql, Dictionary<string, string> variables)
    {
        var environment = new Dictionary<string, string> { ["VIRAL_API_KEY"] = stack.ApiKey };
        string[] load = ["-t1", $"-c{Connections}", "--latency", "-s", Asset("wrk", lua), new Uri(stack.App.Address, path).ToString()];
        await Command.RunAsync("wrk", ["-d3s", .. load], environment); // warm-up
        var ours = WrkResult.Parse(await Command.RunAsync("wrk", [$"-d{Seconds}s", .. load], environment));
        var theirs = await PgBench.RunAsync(stack.Postgres.AdminConnection, Asset("sql", sql), variables, Connections, Seconds);

        Report.Line(
            $"{name}, {Connections} connections",
            $"{ours.PerSecond,7:0} /s   p50 {ours.P50Ms:0.0} ms   p99 {ours.P99Ms:0.0} ms",
            $"{ours.PerSecond / theirs:0.00} of pgbench ({theirs:0} /s)");
    }

    private static string Asset(string folder, string file) => Path.Combine(AppContext.BaseDirectory, folder, file);
}
