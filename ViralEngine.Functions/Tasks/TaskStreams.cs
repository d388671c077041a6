using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;

namespace ViralEngine.Functions.Tasks;

/// <summary>Streams of a task: its events, and its agent's answer.</summary>
internal sealed class TaskStreams(EventFollower follower, TaskTokenReader tokens)
{
    [Function("StreamTask"), Allow(Roles.Readers), Summary("Follow a task's state and progress as server-sent events.")]
    [Returns(200, ContentType = "text/event-stream", EventData = "TaskEvent")]
    [Returns(204, Description = "The task has ended and the client has every event.")]
    public Task StreamAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/tasks/{id}/stream")] HttpRequest request,
        string id,
        CancellationToken ct) =>
        follower.FollowAsync(request, request.Caller().Tenant, TaskStore.EventHead, id, "task", ct);

    [Function("StreamTaskResponse"), Allow(Roles.Readers)]
    [Summary("Follow the answer of a task's agent, token by token, as server-sent events.")]
    [Returns(
        200, ContentType = "text/event-stream", EventData = "TaskToken",
        Description = "token {text}: the next piece of the answer. "
            + "reset {}: discard the text so far, because another attempt begins. done {status, error}: the end.")]
    [Returns(204, Description = "The task has ended and the client has every event.")]
    public Task StreamResponseAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/tasks/{id}/stream-response")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        var after = EventStream.LastEventId(request);
        return follower.FollowAsync(request.HttpContext, tenant, id, "task", async (taskId, stream, token) =>
        {
            if (await tokens.ReadAsync(tenant, taskId, after, token) is not { } read)
                return null;
            foreach (var message in read.Messages)
            {
                stream.Add(message.Number, message.Type, JsonSerializer.Serialize(message.Data, ApiJson.Options));
                after = message.Number;
            }

            return new Look(read.Messages.Count, read.Ended, read.More);
        }, ct);
    }
}
