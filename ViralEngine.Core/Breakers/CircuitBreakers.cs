using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace ViralEngine.Core.Breakers;

/// <summary>
/// A breaker for each host that is called. Polly judges this instance's calls; what it finds is shared, so that a breaker that
/// opens on one instance is open on all, one probe at a time is let through when its time is over, and its success closes all.
/// </summary>
public sealed partial class CircuitBreakers : IDisposable
{
    /// <summary>Tenants choose the hosts of their agents: there may be any number.</summary>
    private const int MostJudges = 10_000;

    private readonly ConcurrentDictionary<string, ResiliencePipeline> judges = new();
    private readonly BreakerRegister register;
    private readonly BreakersOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<CircuitBreakers> logger;
    private readonly Meter meter = new("ViralEngine");
    private readonly Counter<long> changes;

    public CircuitBreakers(
        BreakerRegister register, IOptions<BreakersOptions> options, TimeProvider time, ILogger<CircuitBreakers> logger)
    {
        (this.register, this.options, this.time, this.logger) = (register, options.Value, time, logger);
        changes = meter.CreateCounter<long>("viral.breaker.changes", description: "Breakers that opened or closed.");
        meter.CreateObservableGauge(
            "viral.breaker.open",
            () => register.Open.Select(open => new Measurement<int>(1, new KeyValuePair<string, object?>("server.address", open.Key))),
            description: "Hosts that calls are held back from.");
        register.Closed += Reset;
    }

    /// <summary>How many hosts are held back from now, and how many may be tried.</summary>
    public async Task<(int Open, int HalfOpen)> CountAsync()
    {
        await register.ListenAsync();
        var now = time.GetUtcNow();
        var open = register.Open.Values;
        return (open.Count(until => until > now), open.Count(until => until <= now));
    }

    /// <summary>Asks to call a host. Tell the pass what came of it, and dispose it.</summary>
    /// <exception cref="BreakerOpenException">Not now.</exception>
    public async Task<BreakerPass> EnterAsync(string host)
    {
        if (await register.OpenUntilAsync(host) is not { } until)
            return new BreakerPass(this, host, isProbe: false);
        if (until > time.GetUtcNow() || !await register.TakeProbeAsync(host, TimeSpan.FromSeconds(options.ProbeSeconds)))
            throw new BreakerOpenException(host, Wait(until));
        LogProbe(logger, host);
        return new BreakerPass(this, host, isProbe: true);
    }

    public void Dispose()
    {
        register.Closed -= Reset;
        meter.Dispose();
    }

    internal async Task ReportAsync(string host, bool isProbe, bool failed)
    {
        if (isProbe)
        {
            await (failed ? OpenAsync(host, again: true) : CloseAsync(host));
            return;
        }

        if (judges.Count > MostJudges)
            judges.Clear();
        var judge = judges.GetOrAdd(host, NewJudge);
        try
        {
            await judge.ExecuteAsync(
                static (failed, _) => failed ? ValueTask.FromException(new CallFailedException()) : ValueTask.CompletedTask, failed);
        }
        catch (CallFailedException)
        {
            // Counted.
        }
        catch (BrokenCircuitException)
        {
            // It opened while this call ran.
        }
    }

    internal Task GiveUpProbeAsync(string host) => register.ReleaseProbeAsync(host);

    private ResiliencePipeline NewJudge(string host)
    {
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = options.FailureRatio,
                MinimumThroughput = options.MinimumCalls,
                SamplingDuration = TimeSpan.FromSeconds(options.SamplingSeconds),
                BreakDuration = TimeSpan.FromSeconds(options.BreakSeconds),
                ShouldHandle = new PredicateBuilder().Handle<CallFailedException>(),
                OnOpened = _ => new ValueTask(OpenAsync(host, again: false)),
            })
            .Build();
        return pipeline;
    }

    private async Task OpenAsync(string host, bool again)
    {
        if (!await register.OpenAsync(host, time.GetUtcNow().AddSeconds(options.BreakSeconds), again))
            return;
        changes.Add(1, new("server.address", host), new("state", "open"));
        LogOpened(logger, host, options.BreakSeconds);
    }

    private async Task CloseAsync(string host)
    {
        await register.CloseAsync(host);
        changes.Add(1, new("server.address", host), new("state", "closed"));
        LogClosed(logger, host);
    }

    /// <summary>What this instance had counted against the host is over.</summary>
    private void Reset(string host) => judges.TryRemove(host, out _);

    private TimeSpan Wait(DateTimeOffset until)
    {
        var wait = until - time.GetUtcNow();
        return wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
    }

    private sealed class CallFailedException : Exception;

    [LoggerMessage(1, LogLevel.Warning, "Calls to {Host} fail: none is made for {Seconds} s")]
    private static partial void LogOpened(ILogger logger, string host, double seconds);

    [LoggerMessage(2, LogLevel.Information, "{Host} answers again")]
    private static partial void LogClosed(ILogger logger, string host);

    [LoggerMessage(3, LogLevel.Information, "Trying {Host} with one call")]
    private static partial void LogProbe(ILogger logger, string host);
}

/// <summary>The leave to make one call.</summary>
public sealed class BreakerPass : IAsyncDisposable
{
    private readonly CircuitBreakers breakers;
    private readonly string host;
    private readonly bool isProbe;
    private bool reported;

    internal BreakerPass(CircuitBreakers breakers, string host, bool isProbe) =>
        (this.breakers, this.host, this.isProbe) = (breakers, host, isProbe);

    /// <param name="failed">Whether the host is at fault; not for a request that it rightly refused.</param>
    public Task ReportAsync(bool failed)
    {
        reported = true;
        return breakers.ReportAsync(host, isProbe, failed);
    }

    /// <summary>Without a report, as when the call was cancelled, it says nothing, and another may be the probe.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!reported && isProbe)
            await breakers.GiveUpProbeAsync(host);
    }
}

/// <summary>Calls to the host are held back.</summary>
public sealed class BreakerOpenException(string host, TimeSpan retryAfter) : Exception($"Calls to {host} fail at the moment; none is made.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
