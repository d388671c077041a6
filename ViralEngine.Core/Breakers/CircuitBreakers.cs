using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace ViralEngine.Core.Breakers;

/// <summary>
/// Two breakers for each host: one per calling tenant, and one shared by all tenants, to which each contributes a
/// bounded share of the evidence (<see cref="EvidenceShare"/>), so that one tenant's failing calls do not affect
/// others. Polly judges this instance's calls; the state is shared, so that a breaker that opens on one instance is
/// open on all, one trial call at a time is made once its time is over, and its success closes it everywhere.
/// </summary>
public sealed partial class CircuitBreakers : IDisposable
{
    /// <summary>Bounded, because tenants choose the hosts of their agents.</summary>
    private const int MaxJudges = 10_000;

    private readonly ConcurrentDictionary<string, ResiliencePipeline> judges = new();
    private readonly EvidenceShare share;
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
        share = new EvidenceShare(this.options, time);
        changes = meter.CreateCounter<long>("viral.breaker.changes", description: "Breaker state changes.");
        meter.CreateObservableGauge(
            "viral.breaker.open",
            () => register.Open.Select(open => BreakerKey.HostOf(open.Key)).Distinct()
                .Select(host => new Measurement<int>(1, new KeyValuePair<string, object?>("server.address", host))),
            description: "Hosts with an open breaker.");
        register.Closed += Reset;
    }

    /// <summary>The numbers of open and half-open breakers.</summary>
    public async Task<(int Open, int HalfOpen)> CountAsync()
    {
        await register.ListenAsync();
        var now = time.GetUtcNow();
        var open = register.Open.GroupBy(entry => BreakerKey.HostOf(entry.Key), entry => entry.Value)
            .Select(until => until.Max());
        return (open.Count(until => until > now), open.Count(until => until <= now));
    }

    /// <summary>Asks for permission to call a host. Report the outcome to the pass, and dispose it.</summary>
    /// <exception cref="BreakerOpenException">The breaker is open.</exception>
    public async Task<BreakerPass> EnterAsync(Guid tenant, string host)
    {
        var own = BreakerKey.Of(tenant, host);
        var ownProbe = await EnterOneAsync(own);
        try
        {
            return new BreakerPass(this, tenant, host, ownProbe, await EnterOneAsync(host));
        }
        catch (BreakerOpenException) when (ownProbe)
        {
            await register.ReleaseProbeAsync(own);
            throw;
        }
    }

    public void Dispose()
    {
        register.Closed -= Reset;
        meter.Dispose();
    }

    internal async Task ReportAsync(BreakerPass pass, bool failed)
    {
        await ReportOneAsync(BreakerKey.Of(pass.Tenant, pass.Host), pass.IsOwnProbe, failed);
        // A tenant's own trial call is no evidence about the host for others.
        if (pass.IsSharedProbe && failed && pass.IsOwnProbe)
            await register.ReleaseProbeAsync(pass.Host);
        else if (pass.IsSharedProbe || share.Take(pass.Tenant, pass.Host))
            await ReportOneAsync(pass.Host, pass.IsSharedProbe, failed);
    }

    internal async Task GiveUpProbesAsync(BreakerPass pass)
    {
        if (pass.IsOwnProbe)
            await register.ReleaseProbeAsync(BreakerKey.Of(pass.Tenant, pass.Host));
        if (pass.IsSharedProbe)
            await register.ReleaseProbeAsync(pass.Host);
    }

    /// <summary>Whether the call is the breaker's trial call.</summary>
    private async Task<bool> EnterOneAsync(string key)
    {
        if (await register.OpenUntilAsync(key) is not { } until)
            return false;
        if (until > time.GetUtcNow() || !await register.TakeProbeAsync(key, TimeSpan.FromSeconds(options.ProbeSeconds)))
            throw new BreakerOpenException(BreakerKey.HostOf(key), Wait(until));
        LogProbe(logger, key);
        return true;
    }

    private async Task ReportOneAsync(string host, bool isProbe, bool failed)
    {
        if (isProbe)
        {
            await (failed ? OpenAsync(host, again: true) : CloseAsync(host));
            return;
        }

        if (judges.Count > MaxJudges)
            judges.Clear();
        var judge = judges.GetOrAdd(host, NewJudge);
        try
        {
            await judge.ExecuteAsync(
                static (failed, _) =>
                    failed ? ValueTask.FromException(new CallFailedException()) : ValueTask.CompletedTask, failed);
        }
        catch (CallFailedException)
        {
            // Counted.
        }
        catch (BrokenCircuitException)
        {
            // The breaker opened while this call was running.
        }
    }

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
        if (!await register.OpenAsync(host, TimeSpan.FromSeconds(options.BreakSeconds), again))
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

    /// <summary>Forgets what this instance counted against the host.</summary>
    private void Reset(string host) => judges.TryRemove(host, out _);

    private TimeSpan Wait(DateTimeOffset until)
    {
        var wait = until - time.GetUtcNow();
        return wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
    }

    private sealed class CallFailedException : Exception;

    [LoggerMessage(1, LogLevel.Warning, "Circuit opened for {Host} for {Seconds} s")]
    private static partial void LogOpened(ILogger logger, string host, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Circuit closed for {Host}")]
    private static partial void LogClosed(ILogger logger, string host);

    [LoggerMessage(3, LogLevel.Information, "Circuit half open for {Host}: sending one trial call")]
    private static partial void LogProbe(ILogger logger, string host);
}

/// <summary>Permission to make one call.</summary>
public sealed class BreakerPass : IAsyncDisposable
{
    private readonly CircuitBreakers breakers;
    private bool reported;

    internal BreakerPass(CircuitBreakers breakers, Guid tenant, string host, bool isOwnProbe, bool isSharedProbe)
    {
        this.breakers = breakers;
        (Tenant, Host, IsOwnProbe, IsSharedProbe) = (tenant, host, isOwnProbe, isSharedProbe);
    }

    internal Guid Tenant { get; }

    internal string Host { get; }

    internal bool IsOwnProbe { get; }

    internal bool IsSharedProbe { get; }

    /// <param name="failed">Whether the host failed; false for a request that it rightly rejected.</param>
    public Task ReportAsync(bool failed)
    {
        reported = true;
        return breakers.ReportAsync(this, failed);
    }

    /// <summary>
    /// Without a report, such as after a cancelled call, nothing is counted, and another call may be the trial.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (!reported)
            await breakers.GiveUpProbesAsync(this);
    }
}

/// <summary>The host's breaker is open.</summary>
public sealed class BreakerOpenException(string host, TimeSpan retryAfter)
    : Exception($"Calls to {host} are failing, so its circuit breaker is open.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
