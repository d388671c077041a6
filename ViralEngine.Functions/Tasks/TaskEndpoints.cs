using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Events;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;

namespace ViralEngine.Functions.Tasks;

/// <summary>Submit, read, cancel and retry tasks.</summary>
internal sealed class TaskEndpoints(
    Db db, TaskStore store, EventStore events, AgentDirectory agents, Signals signals, TaskStarts starts,
    IOptions<LimitsOptions> limits, TimeProvider time)
{
    private const int MostInputBytes = 256 * 1024;

    [Function("CreateTask"), Allow(Roles.Operators), Summary("Submit a task.")]
    [Body(typeof(CreateTaskRequest)), Returns(201, typeof(AgentTask))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tasks")] HttpRequest request,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        var asked = await RequestBody.ReadAsync<CreateTaskRequest>(request, ct);
        Check(asked);
        if (!await agents.ExistsAsync(caller.Tenant, asked.AgentId, ct))
            return Problem.Validation("agent_id", $"There is no agent '{asked.AgentId}'.");

        var task = await store.AddAsync(caller.Tenant, new NewTask(
            RowId.New(), asked.AgentId, asked.Description, asked.Input?.GetRawText(), asked.Priority, asked.Tags,
            asked.Metadata?.GetRawText(), asked.TimeoutSeconds, asked.MaxAttempts, asked.ScheduledAt, caller.Principal)
        {
            MostPerMonth = limits.Value.Of(caller.Plan!).TasksPerMonth,
        }, ct);
        await db.AfterCommitAsync(
            token => starts.StartFirstAsync(durable, caller.Tenant, task.Id, task.ScheduledAt, token), ct);
        return Results.Created($"/api/tasks/{task.Id}", task);
    }

    [Function("ListTasks"), Allow(Roles.Readers), Summary("List tasks, newest first.")]
    [Query(typeof(TaskListQuery)), Returns(200, typeof(TaskPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tasks")] HttpRequest request, CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<TaskListQuery>(request.Query);
        var filter = new TaskFilter(query.Status, query.AgentId, query.Tag, query.CreatedAfter, query.CreatedBefore);
        var tasks = await store.ListAsync(request.Caller().Tenant, filter, query.After(), query.Limit + 1, ct);
        var next = query.Next(tasks, task => task.Id);
        return Results.Ok(new TaskPage(tasks, next));
    }

    [Function("GetTask"), Allow(Roles.Readers), Summary("Read a task.")]
    [Returns(200, typeof(AgentTask))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tasks/{id}")] HttpRequest request, string id, CancellationToken ct) =>
        Ids.TryParse(id, out var taskId) && await store.FindAsync(request.Caller().Tenant, taskId, ct) is { } task
            ? Results.Ok(task)
            : Problem.NotFound("task");

    [Function("CancelTask"), Allow(Roles.Operators), Audited("task.cancelled", KeepsAnswer = false)]
    [Summary("Cancel a task: at once, or within a second where it runs.")]
    [Returns(200, typeof(AgentTask), Description = "Cancelled.")]
    [Returns(202, typeof(AgentTask), Description = "It runs; the agent is being told.")]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tasks/{id}/cancel")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var taskId) || await store.CancelAsync(caller.Tenant, taskId, caller.Principal, ct) is not { } open)
            return Problem.NotFound("task");
        var task = (await store.FindAsync(caller.Tenant, taskId, ct))!;
        if (!open)
            return Problem.Conflict("task-ended", $"The task has ended already: it is {task.Status.ToText()}.");

        await db.AfterCommitAsync(_ =>
        {
            signals.Publish(caller.Tenant, taskId);
            return Task.CompletedTask;
        }, ct);
        return task.Status.IsTerminal() ? Results.Ok(task) : Results.Accepted($"/api/tasks/{taskId}", task);
    }

    [Function("RetryTask"), Allow(Roles.Operators), Audited("task.retried", KeepsAnswer = false)]
    [Summary("Run a failed or cancelled task again.")]
    [Returns(202, typeof(AgentTask))]
    public async Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tasks/{id}/retry")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var taskId) || await store.RetryAsync(caller.Tenant, taskId, caller.Principal, ct) is not { } run)
            return Problem.NotFound("task");
        var task = (await store.FindAsync(caller.Tenant, taskId, ct))!;
        if (run == 0)
        {
            return Problem.Conflict(
                "task-not-retryable", $"Only a failed or cancelled task can be retried: this one is {task.Status.ToText()}.");
        }

        await db.AfterCommitAsync(async token =>
        {
            signals.Publish(caller.Tenant, taskId);
            await starts.StartAsync(durable, caller.Tenant, taskId, run, startAt: null, token);
        }, ct);
        return Results.Accepted($"/api/tasks/{taskId}", task);
    }

    [Function("GetTaskHistory"), Allow(Roles.Readers), Summary("What happened to a task, in order.")]
    [Query(typeof(HistoryQuery)), Returns(200, typeof(EventHistory))]
    public async Task<IResult> HistoryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tasks/{id}/history")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<HistoryQuery>(request.Query);
        if (!Ids.TryParse(id, out var taskId)
            || await events.ReadAsync(request.Caller().Tenant, TaskStore.EventHead, taskId, query.After, query.Limit, ct) is not { } history)
        {
            return Problem.NotFound("task");
        }

        return Results.Ok(new EventHistory(history.Items, history.More ? history.Items[^1].Number : null));
    }

    private void Check(CreateTaskRequest asked)
    {
        var errors = new FieldErrors();
        if (string.IsNullOrWhiteSpace(asked.Description))
            errors.Add("description", "Must not be blank.");
        if (asked.Input is { } input && input.GetRawText().Length > MostInputBytes)
            errors.Add("input", $"At most {MostInputBytes:N0} characters of JSON.");
        if (asked.ScheduledAt > time.GetUtcNow().UtcDateTime.AddDays(366))
            errors.Add("scheduled_at", "At most a year ahead.");
        errors.ThrowIfAny();
    }
}
