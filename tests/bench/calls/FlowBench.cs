using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace ViralEngine.Bench;

/// <summary>
/// How much of what a provider allows is used, and how often it is asked in vain: a batch against a provider that
/// answers 429 beyond
/// <c>FLOW_RPM</c> requests a minute (6,000), which halves its limit and doubles it again on the way. Nothing of it is
/// declared.
/// </summary>
internal static class FlowBench
{
    private const double CallSeconds = 1;
    private static readonly TimeSpan Finding = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Watching = TimeSpan.FromSeconds(30);
    private static readonly int PerMinute =
        int.Parse(Environment.GetEnvironmentVariable("FLOW_RPM") ?? "6000", CultureInfo.InvariantCulture);

    public static async Task RunAsync(BenchStack stack)
    {
        await using var provider = await ProviderProcess.StartAsync();
        using var control = new HttpClient { BaseAddress = provider.Url };
        using var client = stack.NewPlainClient();
        var url = new Uri(provider.Url, $"?seconds={CallSeconds.ToString(CultureInfo.InvariantCulture)}");
        using var made = await client.PostAsJsonAsync(
            new Uri("/api/agents", UriKind.Relative), new { name = "limited", kind = "http", settings = new { url } });
        var agent = (await ReadAsync(made)).GetProperty("id").GetString();

        Console.WriteLine(
            $"a batch against a provider that allows {PerMinute} requests a minute and says so to nobody");
        await SetAsync(PerMinute);
        var items = (int)(PerMinute / 60.0 * 3.5 * (Finding + Watching).TotalSeconds);
        using var body = new StringContent(
            string.Concat(Enumerable.Repeat("{\"description\":\"say something\"}\n", items)), Encoding.UTF8,
            "application/x-ndjson");
        using var batch = await client.PostAsync(
            new Uri($"/api/batches?name=flow&agent_id={agent}&concurrency_limit=1000", UriKind.Relative), body);
        var id = (await ReadAsync(batch)).GetProperty("id").GetString();

        var begun = await CountsAsync();
        await PhaseAsync("  found", PerMinute);
        await PhaseAsync("  halved", PerMinute / 2);
        await PhaseAsync("  doubled", PerMinute);
        var all = await CountsAsync() - begun;
        Report.Line(
            "  all of it, finding included", $"{all.Admitted} calls", $"{Percent(all.Refused, all.Total)} got a 429");
        using var cancelled = await client.PostAsync(new Uri($"/api/batches/{id}/cancel", UriKind.Relative), null);

        async Task PhaseAsync(string name, int rate)
        {
            await SetAsync(rate);
            var before = await CountsAsync();
            await Task.Delay(Finding);
            var found = await CountsAsync();
            await Task.Delay(Watching);
            var after = await CountsAsync();
            Report.Line(
                $"{name}: {rate} a minute",
                $"{Percent((after - found).Refused, (after - found).Total)} got a 429 "
                + $"({Percent((found - before).Refused, (found - before).Total)} while it was found)",
                $"{(after - found).Admitted / (rate / 60.0 * Watching.TotalSeconds):0.000} of what is allowed");
        }

        async Task SetAsync(int rate)
        {
            using var set = await control.GetAsync(new Uri($"/rate?rpm={rate}", UriKind.Relative));
            set.EnsureSuccessStatusCode();
        }

        async Task<Counts> CountsAsync()
        {
            var counts = (await control.GetStringAsync(new Uri("/counts", UriKind.Relative))).Split(' ');
            return new(
                long.Parse(counts[0], CultureInfo.InvariantCulture),
                long.Parse(counts[1], CultureInfo.InvariantCulture));
        }
    }

    private static string Percent(long part, long all) =>
        (part / (double)Math.Max(1, all)).ToString("0.00 %", CultureInfo.InvariantCulture);

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode
            ? JsonElement.Parse(text)
            : throw new InvalidOperationException($"{answer.StatusCode}: {text}");
    }

    private sealed record Counts(long Admitted, long Refused)
    {
        public long Total => Admitted + Refused;

        public static Counts operator -(Counts one, Counts other) =>
            new(one.Admitted - other.Admitted, one.Refused - other.Refused);
    }
}
