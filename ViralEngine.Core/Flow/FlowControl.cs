using System.Collections.Concurrent;
using System.Globalization;
using StackExchange.Redis;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Redis;

namespace ViralEngine.Core.Flow;

/// <summary>
/// Starts calls at the speed their provider allows: what the agent declares (requests and tokens a minute, calls at a time), what the
/// provider asks for, and what it is found to bear. All instances share it in Redis (<c>viral:flow:{lane}</c>); while Redis is away
/// nothing but the provider itself holds calls back.
/// </summary>
public sealed class FlowControl(RedisConnection redis, TimeProvider time)
{
    /// <summary>A turn that is further off is not waited for in a lane.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>When it is worth another try then.</summary>
    private static readonly TimeSpan PutOff = TimeSpan.FromSeconds(2.5);

    /// <summary>How long a call counts of which nothing is heard.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, byte>> running = new();
    private int renewing;

    /// <summary>Waits for the call's turn. Tell the pass what came of it, and dispose it.</summary>
    /// <param name="waits">Told what the call waits for, and null when it does not any more.</param>
    /// <exception cref="AgentException">Its turn is not soon: <see cref="AgentException.WaitsFor"/> says what for.</exception>
    public async Task<FlowPass?> EnterAsync(AgentCall call, Action<WaitReason?>? waits, CancellationToken ct)
    {
        if (FlowLane.Of(call) is not { } lane)
            return null;
        var settings = call.Agent.Settings;
        var tokens = settings.TokensPerMinute is null ? 0 : EstimateOf(call);
        var id = Guid.NewGuid().ToString("N");
        var began = time.GetTimestamp();
        var turn = "0";
        while (true)
        {
            var (wait, kept, reason) = await AskAsync(lane, id, settings, tokens, turn);
            if (wait == TimeSpan.Zero)
                break;
            turn = kept ? "1" : "0";
            var left = LongestWait - time.GetElapsedTime(began);
            if (wait > left)
            {
                throw new AgentException(ErrorClass.RateLimited, $"The rate limit for {lane.Host} is reached.", Later(wait, reason))
                {
                    WaitsFor = reason,
                };
            }

            waits?.Invoke(reason);
            await Task.Delay(wait, time, ct);
        }

        waits?.Invoke(null);
        running.GetOrAdd(lane.Key, _ => new())[id] = 0;
        if (Interlocked.CompareExchange(ref renewing, 1, 0) == 0)
            _ = RenewAsync();
        return new FlowPass(this, lane, id, settings.TokensPerMinute ?? 0, tokens, time);
    }

    /// <summary>How a lane stands; null: nothing is known of it.</summary>
    public async Task<FlowState?> ReadAsync(AgentCall call)
    {
        if (FlowLane.Of(call) is not { } lane || redis.Database is not { } database)
            return null;
        try
        {
            var now = DateTime.UnixEpoch.AddMilliseconds(await NowAsync(database));
            var values = await database.HashGetAsync(Hash(lane), ["rate", "window", "paused"]);
            var held = await database.SortedSetLengthAsync(Calls(lane), (now - DateTime.UnixEpoch).TotalMilliseconds);
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

    internal async Task LeaveAsync(FlowLane lane, string id, string outcome, TimeSpan pause, int tokensPerMinute, long tokensMore)
    {
        if (running.TryGetValue(lane.Key, out var calls) && calls.TryRemove(id, out _) && calls.IsEmpty)
            running.TryRemove(new(lane.Key, calls));
        if (redis.Database is not { } database)
            return;
        try
        {
            await database.ScriptEvaluateAsync(
                FlowScripts.Leave, [Hash(lane), Calls(lane)],
                [id, outcome, Text(pause.TotalMilliseconds), tokensPerMinute, tokensMore]);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The call stops to count when its lease ends.
        }
    }

    private async Task<(TimeSpan Wait, bool Kept, WaitReason Reason)> AskAsync(
        FlowLane lane, string id, AgentSettings settings, long tokens, string turn)
    {
        if (redis.Database is not { } database)
            return (TimeSpan.Zero, true, WaitReason.Limit);
        try
        {
            var answer = (string[])(await database.ScriptEvaluateAsync(
                FlowScripts.Enter,
                [Hash(lane), Calls(lane)],
                [
                    id, Text(Lease.TotalMilliseconds), settings.RequestsPerMinute ?? 0, settings.TokensPerMinute ?? 0,
                    settings.MaxConcurrency ?? 0, tokens, Text(LongestWait.TotalMilliseconds), turn,
                ]))!;
            var wait = TimeSpan.FromMilliseconds(double.Parse(answer[0], CultureInfo.InvariantCulture));
            return (wait, answer[1] == "1", answer[2] == "provider" ? WaitReason.Provider : WaitReason.Limit);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return (TimeSpan.Zero, true, WaitReason.Limit);
        }
    }

    /// <summary>Looks after the calls of this process for as long as there are any.</summary>
    private async Task RenewAsync()
    {
        while (true)
        {
            await Task.Delay(Lease / 3, time);
            if (running.IsEmpty)
            {
                Volatile.Write(ref renewing, 0);
                // One that came between the look and the write would have seen a loop that is about to end.
                if (running.IsEmpty || Interlocked.CompareExchange(ref renewing, 1, 0) != 0)
                    return;
            }

            foreach (var (lane, calls) in running)
            {
                foreach (var some in calls.Keys.Chunk(500))
                {
                    redis.Database?.ScriptEvaluate(
                        FlowScripts.Renew, [$"viral:flow:{{{lane}}}:calls"],
                        [Text(Lease.TotalMilliseconds), .. some.Select(id => (RedisValue)id)], CommandFlags.FireAndForget);
                }
            }
        }
    }

    private static async Task<double> NowAsync(IDatabase database) => double.Parse(
        (string)(await database.ScriptEvaluateAsync(
            "local t = redis.call('TIME') return tostring(tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))"))!,
        CultureInfo.InvariantCulture);

    /// <summary>A pause is known to its end; the place in a queue is not.</summary>
    private static TimeSpan Later(TimeSpan wait, WaitReason reason) =>
        reason == WaitReason.Provider || wait < PutOff ? wait : PutOff;

    /// <summary>About four characters a token; settled with what the provider counts.</summary>
    private static long EstimateOf(AgentCall call)
    {
        var openAi = call.Agent.Settings as OpenAiSettings;
        var characters = call.Description.Length + (call.Input?.GetRawText().Length ?? 0) + (openAi?.SystemPrompt?.Length ?? 0);
        return (characters / 4) + (openAi?.MaxOutputTokens ?? 500);
    }

    private static double Number(RedisValue value) =>
        double.TryParse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string Text(double number) => number.ToString("F0", CultureInfo.InvariantCulture);

    private static RedisKey Hash(FlowLane lane) => $"viral:flow:{{{lane.Key}}}";

    private static RedisKey Calls(FlowLane lane) => $"viral:flow:{{{lane.Key}}}:calls";
}

/// <summary>The leave to make one call.</summary>
public sealed class FlowPass : IAsyncDisposable
{
    private readonly FlowControl flow;
    private readonly FlowLane lane;
    private readonly string id;
    private readonly int tokensPerMinute;
    private readonly long estimate;
    private readonly TimeProvider time;
    private string outcome = "other";
    private bool overloaded;
    private TimeSpan pause;
    private long used;

    internal FlowPass(FlowControl flow, FlowLane lane, string id, int tokensPerMinute, long estimate, TimeProvider time) =>
        (this.flow, this.lane, this.id, this.tokensPerMinute, this.estimate, this.time) =
            (flow, lane, id, tokensPerMinute, estimate, time);

    /// <summary>What the provider tells of itself with its answer's headers.</summary>
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
        else if (overloaded)
            outcome = "overloaded";
        if (failure is { ErrorClass: ErrorClass.RateLimited, RetryAfter: { } wait } && wait > pause)
            pause = wait;
    }

    public async ValueTask DisposeAsync() =>
        await flow.LeaveAsync(lane, id, outcome, pause, tokensPerMinute, used == 0 ? 0 : used - estimate);
}

/// <summary>How a lane to a provider stands.</summary>
/// <param name="InFlight">Calls that run, on all instances.</param>
/// <param name="RequestsPerMinute">The rate that is found to be borne; null: nothing was learnt yet.</param>
/// <param name="Concurrency">How many calls at a time are tried after the provider was overloaded; null: no bound.</param>
/// <param name="PausedUntil">Until when the provider asked to be left alone.</param>
public sealed record FlowState(int InFlight, double? RequestsPerMinute, int? Concurrency, DateTime? PausedUntil);
