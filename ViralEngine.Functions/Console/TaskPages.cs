using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using ViralEngine.Console.Tasks;
using ViralEngine.Core.Events;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions.Console;

/// <summary>The list of tasks, and a live task with its actions.</summary>
internal sealed class TaskPages(TaskEndpoints api, TaskStore store, EventStore events, ConsolePages pages)
{
    private const string Section = "tasks";
    private const int MaxAnswerCharacters = 100_000;
    private const int MaxEvents = 200;

    [Function("ConsoleTasks"), Allow(Roles.Readers)]
    public async Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/tasks")] HttpRequest request,
        CancellationToken ct)
    {
        var query = ConsoleQuery.Of(request);
        var page = await api.ListAsync(request.Caller(), query.Bind<TaskListQuery>(), ct);
        return await pages.ShowAsync<TaskListPage>(request, "Tasks", Section, new()
        {
            [nameof(TaskListPage.Tasks)] = page.Tasks,
            [nameof(TaskListPage.Query)] = query.Values,
            [nameof(TaskListPage.Next)] = page.NextCursor,
        }, ct);
    }

    [Function("ConsoleTask"), Allow(Roles.Readers)]
    public async Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/tasks/{id}")] HttpRequest request,
        string id,
        CancellationToken ct)
    {
        var tenant = request.Caller().Tenant;
        if (!Ids.TryParse(id, out var taskId) || await store.FindAsync(tenant, taskId, ct) is not { } task)
            return Problem.NotFound("task");
        var answer = task.Result;
        if (answer is null && task.ResultBytes is not null)
            answer = await store.ReadResultAsync(tenant, taskId, 0, MaxAnswerCharacters, ct);
        var history = await events.ReadAsync(tenant, TaskStore.EventHead, taskId, 0, MaxEvents, ct);
        return await pages.ShowAsync<TaskDetailPage>(request, "Task", Section, new()
        {
            [nameof(TaskDetailPage.Task)] = task with { Result = answer },
            [nameof(TaskDetailPage.IsCut)] = task.Result is null && task.ResultBytes > MaxAnswerCharacters,
            [nameof(TaskDetailPage.History)] = history?.Items ?? [],
            [nameof(TaskDetailPage.IsHistoryCut)] = history?.More ?? false,
            [nameof(TaskDetailPage.TraceId)] = await store.TraceIdOfAsync(tenant, taskId, ct),
        }, ct);
    }

    [Function("ConsoleNewTask"), Allow(Roles.Operators)]
    public async Task<IResult> NewAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "console/tasks/new")] HttpRequest request,
        CancellationToken ct)
    {
        var values = new Dictionary<string, string>();
        if (Ids.TryParse(request.Query["from"].ToString(), out var like))
        {
            if (await store.FindAsync(request.Caller().Tenant, like, ct) is not { } task)
                return Problem.NotFound("task");
            values = ValuesOf(task);
        }

        return await FormAsync(request, values, new Dictionary<string, string[]>(), 200, ct);
    }

    [Function("ConsoleSubmitTask"), Allow(Roles.Operators)]
    public async Task<IResult> SubmitAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/tasks/new")] HttpRequest request,
        [DurableClient] DurableTaskClient durable, CancellationToken ct)
    {
        var form = await ConsoleForm.ReadAsync(request, ct);
        var answer = await ConsoleForm.AnswerOfAsync(
            () => api.CreateAsync(request.Caller(), ConsoleForm.Bind<CreateTaskRequest>(form), durable, ct));
        return ConsoleForm.FaultsOf(answer) is { } faults
            ? await FormAsync(request, ConsoleForm.ValuesOf(form), faults, 400, ct)
            : SeeOther.After(answer, task => $"/console/tasks/{((AgentTask)task!).Id}?notice=submitted");
    }

    [Function("ConsoleCancelTask"), Allow(Roles.Operators), Audited("task.cancelled", KeepsAnswer = false)]
    public async Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/tasks/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable, CancellationToken ct) =>
        SeeOther.After(await api.CancelAsync(request, id, durable, ct), _ => $"/console/tasks/{id}?notice=cancelled");

    [Function("ConsoleRetryTask"), Allow(Roles.Operators), Audited("task.retried", KeepsAnswer = false)]
    public async Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "console/tasks/{id}/retry")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient durable, CancellationToken ct) =>
        SeeOther.After(await api.RetryAsync(request, id, durable, ct), _ => $"/console/tasks/{id}?notice=retried");

    private Task<IResult> FormAsync(
        HttpRequest request, Dictionary<string, string> values, IReadOnlyDictionary<string, string[]> faults,
        int status, CancellationToken ct) =>
        pages.ShowAsync<NewTaskPage>(request, "Submit task", Section, new()
        {
            [nameof(NewTaskPage.Values)] = values,
            [nameof(NewTaskPage.Errors)] = faults,
        }, ct, status);

    private static Dictionary<string, string> ValuesOf(AgentTask task) => new()
    {
        ["description"] = task.Description,
        ["agent_id"] = task.AgentId,
        ["input"] = task.Input?.GetRawText() ?? "",
        ["tags"] = string.Join(", ", task.Tags),
        ["priority"] = task.Priority.ToString(CultureInfo.InvariantCulture),
        ["max_attempts"] = task.MaxAttempts.ToString(CultureInfo.InvariantCulture),
        ["timeout_seconds"] = task.TimeoutSeconds.ToString(CultureInfo.InvariantCulture),
    };
}
