namespace ViralEngine.Core.Flow;

/// <summary>
/// Decisions made in Redis, by its clock, for all instances. A group's hash holds until when it is paused, when its
/// next request and token may go (generic cell rate algorithm), the rate it has found, how slowly it goes on after a
/// pause, and how many calls it may hold.
/// </summary>
internal static class FlowScripts
{
    /// <summary>
    /// Requests to start a call. KEYS: the group's hash, its calls. ARGV: the call's id, its lease in ms, declared
    /// requests per minute, tokens per minute and concurrent calls (0 for no limit), its tokens, the longest wait in
    /// ms, the turn it was already assigned (0 for none). Returns the wait in ms (0 to start), the turn that is kept
    /// during the wait (0 for none), and the reason.
    /// </summary>
    public const string Enter =
        """
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
        local s = redis.call('HMGET', KEYS[1],
            'paused', 'request_at', 'token_at', 'rate', 'window', 'grow_at', 'step', 'cut_at',
            'eased', 'ease_at', 'pauses')
        local function number(text) return tonumber(text or '0') or 0 end
        local paused = number(s[1])
        if paused > now then return {tostring(paused - now), '0', 'provider'} end
        -- Turns from before a pause are void when it is over.
        local pauses = number(s[11])
        if paused > 0 then pauses = pauses + 1 end
        local turn = tostring(pauses + 1)

        local most = number(ARGV[5])
        local window = number(s[5])
        if window > 0 and (most == 0 or window < most) then most = math.max(1, math.floor(window)) end
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
        if most > 0 and redis.call('ZCARD', KEYS[2]) >= most then return {'100', ARGV[8], 'limit'} end

        -- After a pause, calls go on at a tenth of the rate and at least one a second: twice as many after each period
        -- in which nothing was refused, until they are at the rate again.
        local eased_share, eased_least, eased_period = 0.1, 60, 1000
        local eased, ease_at = number(s[9]), number(s[10])

        local wait = 0
        if ARGV[8] ~= turn then
            local rate = number(s[4])
            if rate == 0 then
                -- Nothing is known of the provider yet: two hundred calls a second, and twice as many each half second.
                rate = 12000
                redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'grow_at', tostring(now + 500))
            elseif paused == 0 and eased == 0 and now >= number(s[6]) and number(s[2]) > now then
                -- All of it is used and nothing was refused for a while: a little more, and ever more as long as that
                -- stays so.
                local never = number(s[8]) == 0
                local step = never and 1 or number(s[7])
                -- Where it goes back to if more is refused.
                redis.call('HSET', KEYS[1], 'before', tostring(rate))
                rate = math.min(rate * (1 + step), 6000000)
                redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'step', tostring(math.min(step * 2, 0.25)),
                    'grow_at', tostring(now + (never and 500 or 2000)))
            end
            local declared = number(ARGV[3])
            if declared > 0 and declared < rate then rate = declared end
            local request_at = math.max(number(s[2]), now - 500)
            if paused > 0 then
                request_at = now
                eased, ease_at = math.max(eased_least, rate * eased_share), now + eased_period
                redis.call('HSET', KEYS[1], 'paused', '0', 'pauses', tostring(pauses), 'request_at', tostring(now),
                    'eased', tostring(eased), 'ease_at', tostring(ease_at))
            elseif eased > 0 and now >= ease_at then
                eased, ease_at = eased * 2, now + eased_period
                if eased >= rate then eased = 0 end
                redis.call('HSET', KEYS[1], 'eased', tostring(eased), 'ease_at', tostring(ease_at))
            end
            if eased > 0 then
                rate = math.min(rate, eased)
                -- The turns of the next period are given in it.
                if request_at >= ease_at then return {tostring(math.ceil(ease_at - now)), '0', 'limit'} end
            end
            wait = request_at - now
            local token_at = math.max(number(s[3]), now - 500)
            if number(ARGV[4]) > 0 then wait = math.max(wait, token_at - now) end
            if wait > tonumber(ARGV[7]) then return {tostring(math.ceil(wait)), '0', 'limit'} end
            local second = math.floor(math.max(now, request_at) / 1000)
            redis.call('HSET', KEYS[1], 'request_at', string.format('%.3f', request_at + 60000 / rate))
            if number(ARGV[4]) > 0 then
                redis.call('HSET', KEYS[1], 'token_at',
                    string.format('%.3f', token_at + 60000 * number(ARGV[6]) / number(ARGV[4])))
            end
            local slot = 'n' .. (second % 16)
            local at, started = string.match(redis.call('HGET', KEYS[1], slot) or '', '(%d+):(%-?%d+)')
            if tonumber(at) ~= second then started = 0 end
            redis.call('HSET', KEYS[1], slot, second .. ':' .. (tonumber(started) + 1))
        end
        if wait > 1 then return {tostring(math.ceil(wait)), turn, 'limit'} end
        redis.call('ZADD', KEYS[2], tostring(now + tonumber(ARGV[2])), ARGV[1])
        redis.call('PEXPIRE', KEYS[1], 3600000)
        redis.call('PEXPIRE', KEYS[2], 3600000)
        return {'0', turn, ''}
        """;

    /// <summary>
    /// Reports the end of a call. KEYS as above. ARGV: its id, its outcome (<c>ok</c>, <c>refused</c>: too many
    /// requests, <c>overloaded</c>, <c>other</c>), the pause that the provider asked for in ms, the declared tokens per
    /// minute, how many more tokens it used than estimated.
    /// </summary>
    public const string Leave =
        """
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
        local function number(text) return tonumber(text or '0') or 0 end
        local function startedIn(second)
            local at, started = string.match(redis.call('HGET', KEYS[1], 'n' .. (second % 16)) or '', '(%d+):(%-?%d+)')
            return tonumber(at) == second and tonumber(started) or 0
        end
        local held = redis.call('ZCARD', KEYS[2])
        redis.call('ZREM', KEYS[2], ARGV[1])
        local s = redis.call('HMGET', KEYS[1], 'rate', 'window', 'cut_at', 'paused', 'token_at', 'before')
        if number(ARGV[4]) > 0 and number(ARGV[5]) ~= 0 then
            redis.call('HSET', KEYS[1], 'token_at',
                string.format('%.3f', number(s[5]) + 60000 * number(ARGV[5]) / number(ARGV[4])))
        end
        local window = number(s[2])
        if ARGV[2] == 'ok' then
            if window > 0 then
                window = window + 1 / window
                -- Far more than is used: the provider bears what there is.
                if window > 2 * held + 10 then window = 0 end
                redis.call('HSET', KEYS[1], 'window', tostring(window))
            end
            return 'ok'
        end
        if ARGV[2] == 'overloaded' then
            if now - number(s[3]) > 1000 then
                redis.call('HSET', KEYS[1], 'window', tostring(math.max(1, held * 0.7)), 'cut_at', tostring(now))
            end
        elseif ARGV[2] == 'refused' then
            local second = math.floor(now / 1000)
            -- What goes on slowly after a pause is not doubled in a period with a refusal.
            local eased_period = 1000
            redis.call('HSET', KEYS[1], 'n' .. (second % 16), second .. ':' .. (startedIn(second) - 1),
                'ease_at', tostring(now + eased_period))
            if now - number(s[3]) > 1000 then
                -- What was let through lately is what the provider allows.
                local through = 0
                local seconds = 0
                for i = 0, 1 do
                    local started = startedIn(second - i)
                    if started > 0 then
                        through = through + started
                        seconds = seconds + (i == 0 and math.max(0.2, (now % 1000) / 1000) or 1)
                    end
                end
                local rate = seconds > 0 and 60 * through / seconds or 60
                if number(s[1]) > 0 then rate = math.min(rate, number(s[1])) end
                if number(s[6]) > 0 then rate = math.min(rate, number(s[6])) end
                redis.call('HSET', KEYS[1], 'rate', tostring(math.max(6, rate * 0.99)), 'cut_at', tostring(now),
                    'step', '0.005', 'grow_at', tostring(now + 10000), 'before', '0')
            end
        end
        local pause = number(ARGV[3])
        if pause > 0 and now + pause > number(s[4]) then
            redis.call('HSET', KEYS[1], 'paused', tostring(now + pause))
        end
        return 'ok'
        """;

    /// <summary>
    /// Renews the leases of running calls, or begins them. KEYS: the group's calls. ARGV: the lease in ms, their ids.
    /// </summary>
    public const string Renew =
        """
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
        for i = 2, #ARGV do redis.call('ZADD', KEYS[1], tostring(now + tonumber(ARGV[1])), ARGV[i]) end
        redis.call('PEXPIRE', KEYS[1], 3600000)
        return 'ok'
        """;
}
