using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;

namespace ViralEngine.Functions.Tasks;

/// <summary>A task live: what happens to it, and what its agent says, from any instance and from any event on.</summary>
internal sealed class TaskStreams(TaskEventStore events, TaskTokenReader tokens, TaskSignals signals, TimeProvider time)
{
    [Function("StreamTask"), Allow(Roles.Readers), Summary("Follow a task's state and progress.")]
    [Returns(200, ContentType = "text/event-stream")]
    [Returns(204, Description = "The task has ended and the client has every event.")]
    public async Task StreamAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tasks/{id}/stream")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        var after = EventStream.LastEventId(request);
        await FollowAsync(request.HttpContext, tenant, id, async (stream, taskId, token) =>
        {
            var read = await events.ReadAsync(tenant, taskId, after, 1000, token);
            if (read is null)
                return null;
            foreach (var taskEvent in read.Items)
            {
                stream.Add(taskEvent.Number, taskEvent.Type, JsonSerializer.Serialize(new TaskEventMessage(taskId, taskEvent), ApiJson.Options));
                after = taskEvent.Number;
            }

            return new Step(read.Items.Count, read.Ended, read.More);
        }, ct);
    }

    [Function("StreamTaskResponse"), Allow(Roles.Readers), Summary("Follow what a task's agent says, piece by piece.")]
    [Returns(200, ContentType = "text/event-stream")]
    [Returns(204, Description = "The task has ended and the client has every event.")]
    public async Task StreamResponseAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tasks/{id}/stream-response")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        var after = EventStream.LastEventId(request);
        await FollowAsync(request.HttpContext, tenant, id, async (stream, taskId, token) =>
        {
            var read = await tokens.ReadAsync(tenant, taskId, after, token);
            if (read is null)
                return null;
            foreach (var message in read.Messages)
            {
                stream.Add(message.Number, message.Type, JsonSerializer.Serialize(message.Data, ApiJson.Options));
                after = message.Number;
            }

            return new Step(read.Messages.Count, read.Ended, read.More);
        }, ct);
    }

    private async Task FollowAsync(
        HttpContext http, TenantId tenant, string id, Func<EventStream, Guid, CancellationToken, Task<Step?>> readAsync, CancellationToken ct)
    {
        var stream = new EventStream(http, time);
        if (!Ids.TryParse(id, out var taskId))
            throw new ProblemException(Problem.NotFound("task"));

        // Listening begins before the first look: what happens in between is not missed.
        await using var waiter = await signals.ListenAsync(tenant, taskId, ct);
        var started = false;
        while (true)
        {
            var step = await readAsync(stream, taskId, ct) ?? throw new ProblemException(Problem.NotFound("task"));
            if (!started)
            {
                // A browser's EventSource comes back after each end: 204 tells it that this one was the last.
                if (step is { Ended: true, Events: 0 })
                {
                    http.Response.StatusCode = StatusCodes.Status204NoContent;
                    return;
                }

                await stream.StartAsync(ct);
                started = true;
            }

            await stream.FlushAsync(ct);
            if (step.Ended)
                return;
            if (!step.More)
                await stream.WaitAsync(waiter.WaitAsync, ct);
        }
    }

    private sealed record Step(int Events, bool Ended, bool More);
}

/// <summary>What an event of a task's stream carries.</summary>
internal sealed record TaskEventMessage(Guid TaskId, int Number, string Type, JsonElement Data, DateTime CreatedAt)
{
    public TaskEventMessage(Guid taskId, TaskEvent happened)
        : this(taskId, happened.Number, happened.Type, happened.Data, happened.CreatedAt)
    {
    }
}
