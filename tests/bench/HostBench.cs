using System.Diagnostics;
using System.Globalization;
using ViralEngine.Testing;

namespace ViralEngine.Bench;

/// <summary>
/// What the host costs: the start, the memory of an idle instance, the processor time of a request that does nothing,
/// and reads. With VIRAL_BENCH_BEFORE, the folder of another version's checkout that has been built, the same of that
/// one, and the ratio.
/// </summary>
internal static class HostBench
{
    private const int Connections = 16;
    private const int Seconds = 8;

    public static async Task RunAsync(BenchStack stack)
    {
        var now = await MeasureAsync(stack, null);
        var before = Environment.GetEnvironmentVariable("VIRAL_BENCH_BEFORE") is { Length: > 0 } checkout
            ? await MeasureAsync(stack, checkout)
            : null;
        Line("start to first answer", now.StartMs, before?.StartMs, "ms");
        Line("memory of an idle instance", now.IdleMegabytes, before?.IdleMegabytes, "MB");
        Line("processor time of GET /api/health", now.HealthMicroseconds, before?.HealthMicroseconds, "us");
        Line("GET /api/tasks/{id}, 16 connections", now.ReadsPerSecond, before?.ReadsPerSecond, "/s");
    }

    private static async Task<Figures> MeasureAsync(BenchStack stack, string? checkout)
    {
        var starts = new List<double>();
        for (var run = 0; run < 3; run++)
        {
            await using var starting = AppProcess.Create(Settings(stack, checkout));
            using var http = new HttpClient { BaseAddress = starting.Address };
            var begun = Stopwatch.GetTimestamp();
            starting.StartWithoutWaiting();
            while (!await AnswersAsync(http)) await Task.Delay(5);
            starts.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        starts.Sort();
        await using var app = await AppProcess.StartAsync(Settings(stack, checkout));
        await Task.Delay(TimeSpan.FromSeconds(10));
        var idle = Megabytes(app.ProcessId);
        var health = await WrkAsync(stack, app, "/api/health", script: null);
        var reads = await WrkAsync(stack, app, "/api/tasks/", "get.lua");
        return new(starts[1], idle, health.MicrosecondsEach, reads.PerSecond);
    }

    private static AppSettings Settings(BenchStack stack, string? checkout) =>
        BenchStack.Settings(stack.Postgres) with { Checkout = checkout };

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("/api/health");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<(double PerSecond, double MicrosecondsEach)> WrkAsync(
        BenchStack stack, AppProcess app, string path, string? script)
    {
        await RequestBench.CopyAsync(stack);
        var wrk = new Wrk(new Uri(app.Address, path), Connections, script, RequestBench.EnvironmentOf(stack));
        await wrk.WarmUpAsync();
        var cpu = ProcessorTime(app.ProcessId);
        var result = await wrk.RunAsync(Seconds);
        return (
            result.PerSecond, (ProcessorTime(app.ProcessId) - cpu).TotalMicroseconds / (result.PerSecond * Seconds));
    }

    private static TimeSpan ProcessorTime(int id)
    {
        using var process = Process.GetProcessById(id);
        return process.TotalProcessorTime;
    }

    private static double Megabytes(int id)
    {
        using var process = Process.GetProcessById(id);
        return process.WorkingSet64 / 1e6;
    }

    private static void Line(string name, double now, double? before, string unit) => Report.Line(
        name,
        string.Create(CultureInfo.InvariantCulture, $"{now,7:0} {unit}"),
        before is { } other ? string.Create(
            CultureInfo.InvariantCulture, $"{now / other:0.00} of the version before ({other:0} {unit})") : null);

    private sealed record Figures(
        double StartMs, double IdleMegabytes, double HealthMicroseconds, double ReadsPerSecond);
}
