using System.Globalization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Flow;

/// <summary>
/// Starts calls at the rate their provider allows: the limits the agent declares (requests and tokens per minute,
/// concurrent calls), those the provider asks for, and those found by trial. Shared by all instances in Redis
/// (<c>viral:flow:{group}</c>); without Redis, each instance keeps its share of the declared limits.
/// </summary>
public sealed class FlowControl
{
    /// <summary>A longer wait for a turn is not spent in a lane.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    /// <summary>The wait before asking again in that case.</summary>
    private static readonly TimeSpan PutOff = TimeSpan.FromSeconds(2.5);

    /// <summary>How long a call counts without renewal.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private const string NoTurn = "0";

    /// <summary>A turn that was assigned without Redis, which will assign another.</summary>
    private const string OwnTurn = "own";

    private readonly RedisConnection redis;
    private readonly LimitsOptions limits;
    private readonly TimeProvider time;
    private readonly LocalFlow local;
    private readonly UpkeepLoop renewals;
    private int away;

    public FlowControl(RedisConnection redis, IOptions<LimitsOptions> options, TimeProvider time)
    {
        (this.redis, limits, this.time) = (redis, options.Value, time);
        local = new LocalFlow(time);
        renewals = new UpkeepLoop(Lease / 3, () => local.IsIdle, RenewAsync, time);
    }

    /// <summary>Waits for the call's turn. Report the outcome to the pass, and dispose it.</summary>
    /// <param name="waits">Called with what the call waits for, and with null once it no longer waits.</param>
    /// <exception cref="AgentException">The wait is too long; <see cref="AgentException.WaitsFor"/> has the
    /// reason.</exception>
    public async Task<FlowPass?> EnterAsync(AgentCall call, Action<WaitReason?>? waits, CancellationToken ct)
    {
        if (FlowGroup.Of(call) is not { } group)
            return null;
        var settings = call.Agent.Settings;
        var tokens = settings.TokensPerMinute is null ? 0 : EstimateOf(call);
        var id = Guid.NewGuid().ToString("N");
        var began = time.GetTimestamp();
        var turn = NoTurn;
        while (true)
        {
            (var wait, turn, var reason) = await AskAsync(group, id, settings, tokens, turn);
            if (wait == TimeSpan.Zero)
                break;
            var left = MaxWait - time.GetElapsedTime(began);
            if (wait > left)
            {
                throw new AgentException(
                    ErrorClass.RateLimited, $"The rate limit for {group.Host} is reached.", Later(wait, reason))
                {
                    WaitsFor = reason,
                };
            }

            waits?.Invoke(reason);
            await Task.Delay(wait, time, ct);
        }

        waits?.Invoke(null);
        renewals.Start();
        return new FlowPass(this, group, id, settings.TokensPerMinute ?? 0, tokens, time);
    }

    /// <summary>The state of a group; null if nothing is known.</summary>
    public async Task<FlowState?> ReadAsync(AgentCall call)
    {
        if (FlowGroup.Of(call) is not { } group || redis.Database is not { } database)
            return null;
        try
        {
            var now = DateTime.UnixEpoch.AddMilliseconds(await NowAsync(database));
            var values = await database.HashGetAsync(Hash(group), ["rate", "window", "paused"]);
            var held = await database.SortedSetLengthAsync(
                Calls(group.Key), (now - DateTime.UnixEpoch).TotalMilliseconds);
            var paused = Number(values[2]) is > 0 and var at ? DateTime.UnixEpoch.AddMilliseconds(at) : (DateTime?)null;
            return new FlowState(
                (int)held,
                Number(values[0]) is > 0 and var rate ? Math.Round(rate, 1) : null,
                Number(values[1]) is > 0 and var window ? (int)Math.Max(1, window) : null,
                paused > now ? paused : null);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return null;
        }
    }

    internal async Task LeaveAsync(
        FlowGroup group, string id, string outcome, TimeSpan pause, int tokensPerMinute, long tokensMore)
    {
        local.Left(group.Key, id);
        if (redis.Database is { } database)
        {
            try
            {
                await database.ScriptEvaluateAsync(
                    FlowScripts.Leave, [Hash(group), Calls(group.Key)],
                    [id, outcome, Text(pause.TotalMilliseconds), tokensPerMinute, tokensMore]);
                return;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // In Redis, the call stops counting when its lease expires.
            }
        }

        local.Correct(group.Key, tokensPerMinute, tokensMore, Instances);
    }

    /// <summary>Among how many the declared limits are divided while Redis does not answer.</summary>
    private int Instances => redis.IsConfigured ? limits.ExpectedInstances : 1;

    private async Task<(TimeSpan Wait, string Turn, WaitReason Reason)> AskAsync(
        FlowGroup group, string id, AgentSettings settings, long tokens, string turn)
    {
        if (redis.Database is { } database)
        {
            try
            {
                // Redis may be back: this is sent before the question, so that what started without it counts.
                if (Interlocked.Exchange(ref away, 0) == 1)
                    _ = RenewAsync();
                var answer = (string[])(await database.ScriptEvaluateAsync(
                    FlowScripts.Enter,
                    [Hash(group), Calls(group.Key)],
                    [
                        id, Text(Lease.TotalMilliseconds), settings.RequestsPerMinute ?? 0,
                        settings.TokensPerMinute ?? 0, settings.MaxConcurrency ?? 0, tokens,
                        Text(MaxWait.TotalMilliseconds), turn,
                    ]))!;
                var wait = TimeSpan.FromMilliseconds(double.Parse(answer[0], CultureInfo.InvariantCulture));
                if (wait == TimeSpan.Zero)
                    local.Started(group.Key, id);
                return (wait, answer[1], answer[2] == "provider" ? WaitReason.Provider : WaitReason.Limit);
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // As where it is not connected.
            }
        }

        Volatile.Write(ref away, 1);
        var own = local.Enter(group.Key, id, settings, tokens, turn != NoTurn, MaxWait, Instances);
        return (own.Wait, own.Kept ? OwnTurn : NoTurn, WaitReason.Limit);
    }

    /// <summary>Renews the leases of this process's calls. Those that Redis lost, or never had, count again.</summary>
    private Task RenewAsync() => redis.Database is { } database
        ? Task.WhenAll(local.Running().Select(running => RenewAsync(database, running.Group, running.Ids)))
        : Task.CompletedTask;

    private async Task RenewAsync(IDatabase database, string group, string[] ids)
    {
        try
        {
            foreach (var some in ids.Chunk(500))
            {
                await database.ScriptEvaluateAsync(
                    FlowScripts.Renew, [Calls(group)],
                    [Text(Lease.TotalMilliseconds), .. some.Select(id => (RedisValue)id)]);
            }

            // Calls that ended meanwhile must not stay behind.
            if (local.Ended(group, ids) is { Count: > 0 } ended)
                await database.SortedSetRemoveAsync(Calls(group), ended.Select(id => (RedisValue)id).ToArray());
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The next round renews them.
        }
    }

    private static async Task<double> NowAsync(IDatabase database) => double.Parse(
        (string)(await database.ScriptEvaluateAsync(
            "local t = redis.call('TIME') "
            + "return tostring(tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))"))!,
        CultureInfo.InvariantCulture);

    /// <summary>The end of a pause is known; the time in a queue is not.</summary>
    private static TimeSpan Later(TimeSpan wait, WaitReason reason) =>
        reason == WaitReason.Provider || wait < PutOff ? wait : PutOff;

    /// <summary>About four characters per token; corrected by what the provider counts.</summary>
    private static long EstimateOf(AgentCall call)
    {
        var settings = call.Agent.Settings;
        var input = (call.Description.Length + (call.Input?.GetRawText().Length ?? 0)
            + (settings.Instructions?.Length ?? 0)) / 4;
        return input + (settings.MaxOutputFor(input) ?? 500);
    }

    private static double Number(RedisValue value) =>
        double.TryParse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : 0;

    private static string Text(double number) => number.ToString("F0", CultureInfo.InvariantCulture);

    private static RedisKey Hash(FlowGroup group) => $"viral:flow:{{{group.Key}}}";

    private static RedisKey Calls(string group) => $"viral:flow:{{{group}}}:calls";
}

/// <summary>Permission to make one call.</summary>
public sealed class FlowPass : IAsyncDisposable
{
    private readonly FlowControl flow;
    private readonly FlowGroup group;
    private readonly string id;
    private readonly int tokensPerMinute;
    private readonly long estimate;
    private readonly TimeProvider time;
    private string outcome = "other";
    private bool overloaded;
    private TimeSpan pause;
    private long used;

    internal FlowPass(
        FlowControl flow, FlowGroup group, string id, int tokensPerMinute, long estimate, TimeProvider time) =>
        (this.flow, this.group, this.id, this.tokensPerMinute, this.estimate, this.time) =
            (flow, group, id, tokensPerMinute, estimate, time);

    /// <summary>Reads the provider's limits from its response headers.</summary>
    public void Observe(HttpResponseMessage answer)
    {
        overloaded = (int)answer.StatusCode is 503 or 529;
        var told = RateHeaders.PauseOf(answer.Headers, time.GetUtcNow());
        pause = told > pause ? told : pause;
    }

    public void Answered(AgentUsage? usage)
    {
        outcome = "ok";
        used = usage is null ? 0 : usage.InputTokens + usage.OutputTokens;
    }

    public void Failed(AgentException failure)
    {
        if (failure.ErrorClass == ErrorClass.RateLimited)
            outcome = "refused";
        else if (overloaded || failure.IsOverload)
            outcome = "overloaded";
        if (failure is { ErrorClass: ErrorClass.RateLimited, RetryAfter: { } wait } && wait > pause)
            pause = wait;
    }

    public async ValueTask DisposeAsync() =>
        await flow.LeaveAsync(group, id, outcome, pause, tokensPerMinute, used == 0 ? 0 : used - estimate);
}

/// <summary>The state of a group of calls.</summary>
/// <param name="InFlight">Running calls on all instances.</param>
/// <param name="RequestsPerMinute">The rate that the provider was found to accept; null if none was measured
/// yet.</param>
/// <param name="Concurrency">The number of concurrent calls after the provider was overloaded; null for no
/// bound.</param>
/// <param name="PausedUntil">The end of a pause that the provider asked for.</param>
public sealed record FlowState(int InFlight, double? RequestsPerMinute, int? Concurrency, DateTime? PausedUntil);
