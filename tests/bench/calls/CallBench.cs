using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;

namespace ViralEngine.Bench;

/// <summary>
/// What users do: calls that wait for a model. Tasks and a batch at several degrees of concurrency against the time
/// that is ideal, and against a bare HttpClient that makes the same calls and stores nothing. <c>CALLS</c> chooses the
/// degrees (<c>100,1000,2000</c>),
/// <c>CALL_SECONDS</c> how long a call takes, <c>CALL_ROUNDS</c> how many each place makes.
/// </summary>
internal static class CallBench
{
    private static readonly double Seconds = double.Parse(Setting("CALL_SECONDS", "5"), CultureInfo.InvariantCulture);
    private static readonly int Rounds = int.Parse(Setting("CALL_ROUNDS", "10"), CultureInfo.InvariantCulture);

    public static async Task RunAsync(BenchStack stack)
    {
        await using var provider = await ProviderProcess.StartAsync();
        var url = new Uri(provider.Url, $"?seconds={Seconds.ToString(CultureInfo.InvariantCulture)}");
        using var client = stack.NewPlainClient();
        foreach (var text in Setting("CALLS", "100,1000,2000").Split(','))
        {
            var concurrency = int.Parse(text, CultureInfo.InvariantCulture);
            var calls = concurrency * Rounds;
            var agent = await NewAgentAsync(client, url, concurrency);
            var ideal = calls * Seconds / concurrency;
            Console.WriteLine($"{calls} calls of {Seconds} s, {concurrency} at a time: ideally {ideal:0.0} s");
            var bare = await MeasureAsync("  bare HttpClient", Environment.ProcessId, ideal, calls, concurrency, null,
                () => CallBareAsync(url, calls, concurrency));
            await MeasureAsync("  batch", stack.App.ProcessId, ideal, calls, concurrency, bare,
                () => RunBatchAsync(client, agent, calls, concurrency));
            await MeasureAsync("  single tasks", stack.App.ProcessId, ideal, calls, concurrency, bare,
                () => RunTasksAsync(stack, client, agent, calls));
        }
    }

    private static async Task<(double Ratio, double Cpu)> MeasureAsync(
        string name, int process, double ideal, int calls, int concurrency, (double Ratio, double Cpu)? bare,
        Func<Task> workAsync)
    {
        var before = ProcessUse.Of(process);
        var most = before.Bytes;
        using var watching = new CancellationTokenSource();
        var watch = WatchAsync();
        var started = Stopwatch.GetTimestamp();
        await workAsync();
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await watching.CancelAsync();
        await watch;
        var cpu = (ProcessUse.Of(process).Cpu - before.Cpu).TotalMilliseconds / calls;
        var memory = (most - before.Bytes) / 1024.0 / concurrency;
        Report.Line(
            name, $"{took,6:0.0} s  {cpu:0.00} ms CPU a call  {memory:0} KB a call in flight",
            $"ideal ÷ time {ideal / took:0.000}"
            + (bare is { } limit
                ? $"  of the bare loop's {ideal / took / limit.Ratio:0.000}, CPU {cpu / limit.Cpu:0.0} ×"
                : ""));
        return (ideal / took, cpu);

        async Task WatchAsync()
        {
            while (!watching.IsCancellationRequested)
            {
                most = Math.Max(most, ProcessUse.Of(process).Bytes);
                await Task.Delay(250, watching.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task CallBareAsync(Uri url, int calls, int concurrency)
    {
        using var http = new HttpClient(
            new SocketsHttpHandler { UseProxy = false, UseCookies = false })
        { Timeout = Timeout.InfiniteTimeSpan };
        var left = calls;
        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, url)
                {
                    Content = JsonContent.Create(new { description = "say something" }),
                };
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                response.EnsureSuccessStatusCode();
                await using var body = await response.Content.ReadAsStreamAsync();
                var buffer = new byte[4096];
                while (await body.ReadAsync(buffer) > 0)
                {
                }
            }
        }));
    }

    private static async Task RunBatchAsync(HttpClient client, string agent, int calls, int concurrency)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < calls; i++)
            lines.Append("{\"description\":\"say something\"}\n");
        using var body = new StringContent(lines.ToString(), Encoding.UTF8, "application/x-ndjson");
        using var answer = await client.PostAsync(
            new Uri($"/api/batches?name=calls&agent_id={agent}&concurrency_limit={concurrency}", UriKind.Relative),
            body);
        var id = (await ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("id").GetString();
        while (true)
        {
            using var read = await client.GetAsync(new Uri($"/api/batches/{id}", UriKind.Relative));
            var batch = await ReadAsync(read, HttpStatusCode.OK);
            if (batch.GetProperty("status").GetString() is "completed" or "failed")
            {
                if (batch.GetProperty("counts").GetProperty("completed").GetInt32() != calls)
                    throw new InvalidOperationException($"Not every item was completed: {batch}");
                return;
            }

            await Task.Delay(100);
        }
    }

    /// <summary>
    /// All are submitted, sixteen at a time; the agent's own limit says how many run. Whether they have ended is asked
    /// of the database: to ask the app for each would be another load.
    /// </summary>
    private static async Task RunTasksAsync(BenchStack stack, HttpClient client, string agent, int calls)
    {
        await Parallel.ForAsync(0, calls, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, ct) =>
        {
            using var answer = await client.PostAsJsonAsync(
                new Uri("/api/tasks", UriKind.Relative), new { agent_id = agent, description = "say something" }, ct);
            await ReadAsync(answer, HttpStatusCode.Created);
        });
        await using var database = NpgsqlDataSource.Create(stack.Postgres.AdminConnection);
        await using var counts = database.CreateCommand(
            """
            SELECT count(*) FILTER (WHERE status = 'completed'),
                   count(*) FILTER (WHERE status IN ('failed', 'cancelled'))
            FROM viral.tasks
            WHERE agent_id = $1
            """);
        counts.Parameters.Add(new() { Value = agent });
        while (true)
        {
            await using var reader = await counts.ExecuteReaderAsync();
            await reader.ReadAsync();
            if (reader.GetInt64(1) > 0)
                throw new InvalidOperationException($"{reader.GetInt64(1)} tasks have failed.");
            if (reader.GetInt64(0) == calls)
                return;
            await Task.Delay(100);
        }
    }

    private static async Task<string> NewAgentAsync(HttpClient client, Uri url, int concurrency)
    {
        using var answer = await client.PostAsJsonAsync(
            new Uri("/api/agents", UriKind.Relative),
            new { name = $"slow-{concurrency}", kind = "http", settings = new { url, max_concurrency = concurrency } });
        return (await ReadAsync(answer, HttpStatusCode.Created)).GetProperty("id").GetString()!;
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.StatusCode == expected
            ? JsonElement.Parse(text)
            : throw new InvalidOperationException($"{answer.StatusCode} where {expected} was expected: {text}");
    }

    private static string Setting(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;
}
