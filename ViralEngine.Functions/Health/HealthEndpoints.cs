using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Redis;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Health;

/// <summary>Liveness and readiness of this instance. Public, and without calls that cost money.</summary>
internal sealed class HealthEndpoints(HealthConnection database, RedisConnection redis, CircuitBreakers breakers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    [Function("GetHealth"), Summary("Check whether this instance is running.")]
    [Returns(200, typeof(Liveness))]
    public static IResult Live(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/health")] HttpRequest request) =>
        Results.Json(new Liveness("healthy"), ApiJson.Options);

    /// <summary>
    /// 503 if PostgreSQL or the orchestration store cannot be reached. Without Redis, 200 and <c>degraded</c>:
    /// everything still works, and taking every instance out of rotation would cause an outage.
    /// </summary>
    [Function("GetReadiness"), Summary("Check whether this instance is ready, and how fast each dependency responds.")]
    [Returns(200, typeof(Readiness))]
    [Returns(503, typeof(Readiness), Description = "PostgreSQL or the orchestration store cannot be reached.")]
    public async Task<IResult> ReadyAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/health/ready")] HttpRequest request,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var postgres = ProbeAsync(database.AskAsync, ct);
        var orchestrations = ProbeAsync(token => durable.GetInstanceAsync("readiness-probe", token), ct);
        var redisProbe = redis.IsConfigured
            ? ProbeAsync(async _ =>
            {
                var database = redis.Database ?? throw new InvalidOperationException("Not connected.");
                await database.PingAsync();
            }, ct)
            : Task.FromResult(new Probe("not_configured", null));

        var checks = new Dictionary<string, Probe>
        {
            ["postgresql"] = await postgres,
            ["orchestrations"] = await orchestrations,
            ["redis"] = await redisProbe,
        };
        var (open, halfOpen) = await breakers.CountAsync();
        var ready = checks["postgresql"].Status == "up" && checks["orchestrations"].Status == "up";
        var status = !ready ? "unavailable" : checks["redis"].Status == "up" ? "ready" : "degraded";
        return Results.Json(
            new Readiness(status, checks, new BreakerCounts(open, halfOpen)), ApiJson.Options,
            statusCode: ready ? 200 : 503);
    }

    private static async Task<Probe> ProbeAsync(Func<CancellationToken, Task> probe, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bounded.CancelAfter(Patience);
        try
        {
            await probe(bounded.Token).WaitAsync(bounded.Token);
            return new Probe("up", Math.Round(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 2));
        }
        catch (Exception)
        {
            // The response does not tell the cause, which is in the logs of the component that uses the dependency.
            return new Probe("down", null);
        }
    }
}

internal sealed record Liveness(string Status);

/// <param name="Status"><c>ready</c>, <c>degraded</c> (Redis is unreachable) or <c>unavailable</c>.</param>
/// <param name="Breakers">Hosts with an open breaker. Their names are in the metrics only, because they may be a
/// tenant's.</param>
internal sealed record Readiness(string Status, IReadOnlyDictionary<string, Probe> Checks, BreakerCounts Breakers);

/// <param name="Open">The number of hosts that no calls are made to.</param>
/// <param name="HalfOpen">The number of hosts whose next call is a trial.</param>
internal sealed record BreakerCounts(int Open, int HalfOpen);

/// <param name="Status"><c>up</c>, <c>down</c> or <c>not_configured</c>.</param>
/// <param name="LatencyMs">How long the dependency took to respond.</param>
internal sealed record Probe(string Status, double? LatencyMs);
