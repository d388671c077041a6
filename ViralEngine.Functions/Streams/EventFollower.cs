using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ViralEngine.Core.Events;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Streams;

/// <summary>
/// Streams a subject's events from any number until it ends: each exactly once and in order, on any instance. Events
/// are read from the store; signals only say when to look.
/// </summary>
internal sealed class EventFollower(EventStore events, Signals signals, CallerCheck check, TimeProvider time)
{
    private const int MaxAtOnce = 1000;

    /// <summary>Streams the history of a task, batch or workflow.</summary>
    public Task FollowAsync(
        HttpRequest request, TenantId tenant, string head, string id, string noun, CancellationToken ct)
    {
        var after = EventStream.LastEventId(request);
        return FollowAsync(request.HttpContext, tenant, id, noun, async (subjectId, stream, token) =>
        {
            if (await events.ReadAsync(tenant, head, subjectId, after, MaxAtOnce, token) is not { } page)
                return null;
            if (after > page.Last)
            {
                // A number that this stream does not have: from another stream, or from before a restore of the
                // database.
                stream.Reset();
                after = 0;
                return new Look(1, Ended: false, More: true);
            }

            foreach (var happened in page.Items)
            {
                stream.Add(happened.Number, happened.Type, JsonSerializer.Serialize(happened, ApiJson.Options));
                after = happened.Number;
            }

            return new Look(page.Items.Count, page.Ended, page.More);
        }, ct);
    }

    /// <summary>
    /// Streams what <paramref name="lookAsync"/> adds. It is called once at first and then after each signal, for as
    /// long as the caller is allowed to read.
    /// </summary>
    public async Task FollowAsync(
        HttpContext http,
        TenantId tenant,
        string id,
        string noun,
        Func<Guid, EventStream, CancellationToken, Task<Look?>> lookAsync,
        CancellationToken ct)
    {
        if (!Ids.TryParse(id, out var subjectId))
            throw new ProblemException(Problem.NotFound(noun));

        // Listening starts before the first look, so that nothing in between is missed.
        await using var waiter = await signals.ListenAsync(tenant, subjectId, ct);
        var stream = new EventStream(http, time);
        var caller = check.Of(http);
        var started = false;
        while (true)
        {
            var look = await lookAsync(subjectId, stream, ct) ?? throw new ProblemException(Problem.NotFound(noun));
            if (!started)
            {
                // A browser's EventSource reconnects after each end; 204 stops it.
                if (look is { Ended: true, Events: 0 })
                {
                    http.Response.StatusCode = StatusCodes.Status204NoContent;
                    return;
                }

                await stream.StartAsync(ct);
                started = true;
                if (HttpMethods.IsHead(http.Request.Method))
                    return;
            }

            await stream.FlushAsync(ct);
            if (look.Ended || (!look.More && !await WaitAsync(waiter, stream, caller, ct)))
                return;
        }
    }

    /// <summary>Waits for a signal and keeps the connection alive. False if the caller may no longer read.</summary>
    private static async Task<bool> WaitAsync(
        SignalWaiter waiter, EventStream stream, CheckedCaller caller, CancellationToken ct)
    {
        bool signalled;
        do
        {
            if (!await caller.IsStillAllowedAsync(ct))
                return false;
            await stream.KeepAliveAsync(ct);
            var most = stream.HeartbeatDueIn < caller.DueIn ? stream.HeartbeatDueIn : caller.DueIn;
            signalled = await waiter.WaitAsync(most > TimeSpan.Zero ? most : TimeSpan.Zero, ct);
        }
        while (!signalled);

        return true;
    }
}

/// <summary>The result of a look at the store.</summary>
/// <param name="More">There is more: look again without waiting.</param>
internal sealed record Look(int Events, bool Ended, bool More);
