using System.Diagnostics;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>From starting the process to its first answers.</summary>
internal static class StartBench
{
    private const int Runs = 5;

    public static async Task RunAsync(BenchStack stack)
    {
        var live = new List<double>();
        var served = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            await using var app = AppProcess.Create(BenchStack.Settings(stack.Postgres));
            using var http = new HttpClient { BaseAddress = app.Address, Timeout = TimeSpan.FromSeconds(30) };
            http.DefaultRequestHeaders.Authorization = new("Bearer", stack.ApiKey);
            var started = Stopwatch.GetTimestamp();
            app.StartWithoutWaiting();
            await FirstAnswerAsync(http, "/api/health");
            live.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            await FirstAnswerAsync(http, "/api/tasks");
            served.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        live.Sort();
        served.Sort();
        Report.Line("cold start to first answer, median", $"{live[Runs / 2]:0} ms");
        Report.Line("cold start to first list from PostgreSQL", $"{served[Runs / 2]:0} ms");
    }

    private static async Task FirstAnswerAsync(HttpClient http, string path)
    {
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(path);
                answer.EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException e) when (e.StatusCode is null)
            {
                await Task.Delay(5);
            }
        }
    }
}
