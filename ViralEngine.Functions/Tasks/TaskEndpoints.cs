using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Events;
using ViralEngine.Core.Fields;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Tasks;

/// <summary>Tasks: single pieces of work for agents.</summary>
internal sealed class TaskEndpoints(
    Db db, TaskStore store, EventStore events, AgentDirectory agents, Signals signals, TaskLanes lanes,
    WorkflowStarts workflows, WorkflowTasks steps, IOptions<LimitsOptions> limits, BytesInFlight inFlight,
    TimeProvider time)
{
    private const int MaxInputBytes = 256 * 1024;

    [Function("CreateTask"), Allow(Roles.Operators), Summary("Submit a task.")]
    [Body(typeof(CreateTaskRequest)), Returns(201, typeof(AgentTask))]
    public async Task<IResult> CreateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/tasks")] HttpRequest request,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var asked = await RequestBody.ReadAsync<CreateTaskRequest>(request, ct);
        return await CreateAsync(request.Caller(), asked, durable, ct);
    }

    internal async Task<IResult> CreateAsync(
        Caller caller, CreateTaskRequest asked, DurableTaskClient durable, CancellationToken ct)
    {
        Check(asked);
        if (!await agents.ExistsAsync(caller.Tenant, asked.AgentId, ct))
            return Problem.Validation("agent_id", $"There is no agent '{asked.AgentId}'.");

        var task = await store.AddAsync(caller.Tenant, new NewTask(
            RowId.New(), asked.AgentId, asked.Description, asked.Input?.GetRawText(), asked.Priority, asked.Tags,
            asked.Metadata?.GetRawText(), asked.TimeoutSeconds, asked.MaxAttempts, asked.ScheduledAt, caller.Principal)
        {
            MaxPerMonth = limits.Value.Of(caller.Plan!).TasksPerMonth,
        }, ct);
        if (task.ScheduledAt is not { } at || at <= time.GetUtcNow().UtcDateTime.AddSeconds(10))
            await db.AfterCommitAsync(token => lanes.WakeAsync(durable, token), ct);
        return Results.Created($"/api/tasks/{task.Id}", task);
    }

    [Function("ListTasks"), Allow(Roles.Readers)]
    [Summary("List tasks, newest first, each with the beginning of its result.")]
    [Query(typeof(TaskListQuery)), Returns(200, typeof(TaskPage))]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/tasks")] HttpRequest request,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<TaskListQuery>(request.Query);
        return Results.Ok(await ListAsync(request.Caller(), query, ct));
    }

    internal async Task<TaskPage> ListAsync(Caller caller, TaskListQuery query, CancellationToken ct)
    {
        var filter = new TaskFilter(
            query.Status, query.AgentId, query.Tag, query.CreatedAfter, query.CreatedBefore, query.Search);
        var list = await store.ListAsync(caller.Tenant, filter, query.After(), query.Limit + 1, ct);
        var next = query.Next(list.Tasks, task => task.Id, list.Cut)
            ?? (list.LookedTo is { } last ? PageQuery.CursorAfter(last) : null);
        return new TaskPage(list.Tasks, next);
    }

    [Function("GetTask"), Allow(Roles.Readers), Summary("Read a task.")]
    [Returns(200, typeof(AgentTask))]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/tasks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var taskId) || await store.FindAsync(tenant, taskId, ct) is not { } task)
            return Problem.NotFound("task");
        if (task.Result is not null || task.ResultBytes is not { } bytes)
            return Results.Ok(task);

        // A large result: as text, and again as JSON.
        request.HttpContext.Response.RegisterForDispose(await inFlight.TakeAsync(tenant, 4L * bytes, ct));
        return Results.Ok(task with { Result = await store.ReadResultAsync(tenant, taskId, 0, bytes, ct) });
    }

    [Function("CancelTask"), Allow(Roles.Operators), Audited("task.cancelled", KeepsAnswer = false)]
    [Summary("Cancel a task immediately, or within a second if it is running.")]
    [Returns(200, typeof(AgentTask), Description = "Cancelled.")]
    [Returns(202, typeof(AgentTask), Description = "The task is running and is being stopped.")]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/tasks/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        if (!Ids.TryParse(id, out var taskId)
            || await store.CancelAsync(caller.Tenant, taskId, caller.Principal, ct) is not { } open)
            return Problem.NotFound("task");
        var task = (await store.FindAsync(caller.Tenant, taskId, ct))!;
        if (!open)
            return Problem.Conflict("task-ended", $"The task has already ended: it is {task.Status.ToText()}.");

        var workflow = task.Status.IsTerminal() ? await store.FindWorkflowAsync(caller.Tenant, taskId, ct) : null;
        await db.AfterCommitAsync(async token =>
        {
            signals.Publish(caller.Tenant, taskId);
            if (workflow is not null)
                await workflows.TellAsync(durable, workflow.Id, workflow.Run, token);
        }, ct);
        return task.Status.IsTerminal() ? Results.Ok(task) : Results.Accepted($"/api/tasks/{taskId}", task);
    }

    [Function("RetryTask"), Allow(Roles.Operators), Audited("task.retried", KeepsAnswer = false)]
    [Summary("Run a failed or cancelled task again.")]
    [Returns(202, typeof(AgentTask))]
    public async Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/tasks/{id}/retry")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable,
        CancellationToken ct)
    {
        var caller = request.Caller();
        // Its step may be behind a gate: only the workflow knows what was approved.
        if (Ids.TryParse(id, out var taskId) && await steps.WorkflowOfAsync(caller.Tenant, taskId, ct) is { } workflow)
            return Problem.Conflict(
                "task-of-workflow",
                $"The task belongs to a step of workflow {workflow}: retry the workflow from that step.");
        if (taskId == Guid.Empty || await store.RetryAsync(caller.Tenant, taskId, caller.Principal, ct) is not { } run)
            return Problem.NotFound("task");
        var task = (await store.FindAsync(caller.Tenant, taskId, ct))!;
        if (run == 0)
        {
            return Problem.Conflict(
                "task-not-retryable",
                $"Only a failed or cancelled task can be retried: this task is {task.Status.ToText()}.");
        }

        await db.AfterCommitAsync(async token =>
        {
            signals.Publish(caller.Tenant, taskId);
            await lanes.WakeAsync(durable, token);
        }, ct);
        return Results.Accepted($"/api/tasks/{taskId}", task);
    }

    [Function("GetTaskHistory"), Allow(Roles.Readers), Summary("List what happened to a task, in order.")]
    [Query(typeof(HistoryQuery)), Returns(200, typeof(EventHistory))]
    public async Task<IResult> HistoryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "api/tasks/{id}/history")]
        HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var query = RequestBinder.BindQuery<HistoryQuery>(request.Query);
        if (!Ids.TryParse(id, out var taskId)
            || await events.ReadAsync(
                request.Caller().Tenant, TaskStore.EventHead, taskId, query.After, query.Limit, ct) is not { } history)
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
        if (asked.Input is { } input && input.GetRawText().Length > MaxInputBytes)
            errors.Add("input", $"Must have at most {MaxInputBytes:N0} characters of JSON.");
        if (asked.ScheduledAt > time.GetUtcNow().UtcDateTime.AddDays(366))
            errors.Add("scheduled_at", "Must be at most a year ahead.");
        errors.ThrowIfAny();
    }
}
