using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ViralEngine.Bench;

/// <summary>
/// What the console costs: a page with many rows behind it, the live view of a large batch, and many that are open.
/// </summary>
internal static partial class ConsoleBench
{
    private const int Rows = 10_000;
    private const int Items = 100_000;
    private const int Consoles = 200;
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(BenchStack stack)
    {
        using var api = stack.NewPlainClient();
        using var browser = new HttpClient(
            new HttpClientHandler { AllowAutoRedirect = false })
        { BaseAddress = stack.App.Address };
        await SignInAsync(browser, stack.ApiKey);
        var tasks = await SubmitAsync(api);
        foreach (var page in new[]
        {
            "/console/tasks", "/console/tasks?status=pending&tag=even", "/console", $"/console/tasks/{tasks[0]}"
        })
            await TimeAsync(browser, page);
        await FollowBatchAsync(api, browser);
        await KeepOpenAsync(stack, browser, tasks);
    }

    private static async Task SignInAsync(HttpClient browser, string key)
    {
        var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["credential"] = key });
        using var answer = await browser.PostAsync(new Uri("/console/sign-in", UriKind.Relative), form);
        if (answer.StatusCode != HttpStatusCode.SeeOther)
            throw new InvalidOperationException($"Signing in answered {answer.StatusCode}.");
    }

    /// <summary>Tasks that are not due for long: nothing else runs while pages are measured.</summary>
    private static async Task<List<string>> SubmitAsync(HttpClient api)
    {
        var ids = new List<string>();
        var due = DateTime.UtcNow.AddDays(1).ToString("O", CultureInfo.InvariantCulture);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Rows), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, ct) =>
            {
                var task = new
                {
                    agent_id = "echo",
                    description = $"the number {i}",
                    scheduled_at = due,
                    tags = new[] { i % 2 == 0 ? "even" : "odd" }
                };
                using var answer = await api.PostAsJsonAsync(new Uri("/api/tasks", UriKind.Relative), task, ct);
                var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("id").GetString()!;
                lock (ids)
                    ids.Add(id);
            });
        return ids;
    }

    private static async Task TimeAsync(HttpClient browser, string page)
    {
        var took = new List<double>();
        for (var i = 0; i < 120; i++)
        {
            var started = Stopwatch.GetTimestamp();
            using var answer = await browser.GetAsync(new Uri(page, UriKind.Relative));
            await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
            if (i >= 20) // the first ones compile
                took.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        took.Sort();
        var high = Report.Percentile(took, 0.99);
        Report.Line(
            $"{Shortened(page)}, {Rows:N0} tasks behind it",
            $"p50 {Report.Percentile(took, 0.5):0.0} ms   p99 {high:0.0} ms",
            $"p99 {high / 100:0.00} of the limit of 100 ms");
    }

    private static string Shortened(string page) =>
        Ids().Replace(page, "{id}") is { Length: > 30 } text ? text[..29] + "…" : Ids().Replace(page, "{id}");

    private static async Task FollowBatchAsync(HttpClient api, HttpClient browser)
    {
        var body = new StringBuilder();
        for (var i = 0; i < Items; i++)
            body.Append(CultureInfo.InvariantCulture, $$"""{"description":"{{i}}"}""").Append('\n');
        using var content = new StringContent(body.ToString());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using var made = await api.PostAsync(
            new Uri("/api/batches?name=large&agent_id=echo", UriKind.Relative), content);
        var id = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();

        var page = await browser.GetStringAsync(new Uri($"/console/batches/{id}", UriKind.Relative));
        var streams = Streams().Matches(page);
        var events = 0;
        var started = Stopwatch.GetTimestamp();
        await using var stream = await browser.GetStreamAsync(
            new Uri(streams[0].Groups["address"].Value, UriKind.Relative));
        await foreach (var _ in SseParser.Create(stream).EnumerateAsync())
            events++;
        Report.Line(
            $"live view of a batch of {Items:N0}",
            $"{streams.Count} event stream, {events} events in {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s",
            $"{(double)events / Items:0.00000} events an item");
    }

    /// <summary>
    /// Each holds the stream of a page open that has nothing new to tell; held against the same time without any.
    /// </summary>
    private static async Task KeepOpenAsync(BenchStack stack, HttpClient browser, List<string> tasks)
    {
        using var app = Process.GetProcessById(stack.App.ProcessId);
        var without = await CoreShareAsync(app);
        var open = new List<Stream>();
        foreach (var task in tasks.Take(Consoles))
            open.Add(await browser.GetStreamAsync(new Uri($"/api/tasks/{task}/stream", UriKind.Relative)));
        var with = await CoreShareAsync(app);
        foreach (var stream in open)
            await stream.DisposeAsync();
        var cost = with - without;
        Report.Line(
            $"{Consoles} consoles open for {Watched.TotalSeconds:0} s",
            $"{cost:0.0} % of a core ({with:0.0} with, {without:0.0} without)",
            $"{cost / 5:0.00} of the limit of 5 %");
    }

    private static async Task<double> CoreShareAsync(Process app)
    {
        // What came before ends, and what keeps streams open is compiled.
        await Task.Delay(Watched);
        app.Refresh();
        var (before, started) = (app.TotalProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(Watched);
        app.Refresh();
        return 100 * (app.TotalProcessorTime - before) / Stopwatch.GetElapsedTime(started);
    }

    [GeneratedRegex("""data-(?:live|tokens)="(?<address>[^"]+)""")]
    private static partial Regex Streams();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f-]{27}")]
    private static partial Regex Ids();
}
