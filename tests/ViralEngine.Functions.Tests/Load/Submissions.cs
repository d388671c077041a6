using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Load;

/// <summary>
/// Clients that submit tasks, some hundreds a second, each to the instances in turn, as behind a round-robin balancer.
/// </summary>
internal sealed class Submissions(AppCluster cluster, TestTenant tenant) : IAsyncDisposable
{
    private const int Clients = 8;

    private readonly CancellationTokenSource over = new();
    private readonly ConcurrentQueue<Submission> made = new();
    private Task running = Task.CompletedTask;

    public IReadOnlyList<Submission> Made => [.. made];

    public IReadOnlyList<Submission> Accepted => [.. made.Where(each => each.Answer?.Status == HttpStatusCode.Created)];

    public void Start() => running = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(RunAsync)));

    public Task ForAsync(int more, string what)
    {
        var before = Accepted.Count;
        return Eventually.TrueAsync(() => Accepted.Count >= before + more, $"{more} tasks to be accepted {what}");
    }

    public async Task StopAsync()
    {
        await over.CancelAsync();
        await running;
    }

    /// <summary>Waits until everything that was accepted has been run.</summary>
    public async Task AllCompletedAsync(AppProcess at)
    {
        using var api = tenant.At(at);
        foreach (var submission in Accepted)
        {
            await Eventually.GetAsync(
                () => api.GetAsync(submission.Answer!.Header("Location")!),
                answer => answer.Status == HttpStatusCode.OK && answer.Json.GetProperty("status")
                    .GetString() == "completed",
                "an accepted task to be completed");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        over.Dispose();
    }

    private async Task RunAsync()
    {
        var clients = cluster.Instances.ToDictionary(instance => instance, tenant.At);
        while (!over.IsCancellationRequested)
        {
            var instance = cluster.Next();
            var started = Stopwatch.GetTimestamp();
            try
            {
                var answer = await clients[instance].PostAsync(
                    "/api/tasks", new { agent_id = "echo", description = "x" });
                made.Enqueue(new Submission(instance, answer, Stopwatch.GetElapsedTime(started)));
            }
            catch (HttpRequestException)
            {
                made.Enqueue(new Submission(instance, null, Stopwatch.GetElapsedTime(started)));
            }

            // What is killed meanwhile starts again on the same processors.
            await Task.Delay(10);
        }

        foreach (var client in clients.Values)
            client.Dispose();
    }
}

/// <param name="Answer">Null: the connection failed.</param>
internal sealed record Submission(AppProcess Instance, ApiResponse? Answer, TimeSpan Took);
