using System.Text.Json;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Texts;
using ViralEngine.Core.Workflows.Liquid;

namespace ViralEngine.Core.Workflows.Execution;

/// <summary>
/// Starts, retries and settles the calls of steps and rollbacks: tasks and HTTP calls. Each attempt of a task step is a
/// task of its own, stored with the step that waits for it.
/// </summary>
internal sealed class StepActions(WorkflowTurn turn, StepValues values, Func<Guid, Task<string>> readTaskResultAsync)
{
    private const int MaxOutput = 256 * 1024;

    public async Task StartAsync(StepRun step, StepAction action)
    {
        step.Status = StepStatus.InProgress;
        step.DueAt = null;
        step.Changed = true;
        try
        {
            switch (action)
            {
                case TaskAction task:
                    await AddTaskAsync(step, task);
                    break;
                case WebhookAction webhook:
                    step.Request = JsonSerializer.Serialize(
                        await RenderAsync(webhook), WorkflowJson.Default.WebhookCall);
                    step.Result = null;
                    break;
            }
        }
        catch (LiquidException e)
        {
            turn.Fail(step, new StepError("template", e.Message, step.StepId));
        }
    }

    /// <summary>Checks whether the running attempt has ended, or the next one is due.</summary>
    public async Task SettleAsync(StepRun step, StepAction action)
    {
        if (step.Status == StepStatus.Retrying && step.DueAt <= turn.Now)
        {
            step.Attempt++;
            await StartAsync(step, action);
        }
        else if (step is { Status: StepStatus.InProgress, TaskId: { } taskId }
            && turn.Tasks.TryGetValue(taskId, out var task))
        {
            await SettleTaskAsync(step, action, taskId, task);
        }
        else if (step is { Status: StepStatus.InProgress, Result: { } result })
        {
            var outcome = result.Deserialize(WorkflowJson.Default.WebhookOutcome)!;
            if (outcome.ErrorClass is { } errorClass)
                FailAttempt(
                    step, action, new StepError(errorClass, outcome.Message ?? "", step.StepId),
                    outcome.RetryAfterSeconds);
            else
                turn.Complete(step, outcome.Output?.GetRawText());
        }
    }

    private async Task SettleTaskAsync(StepRun step, StepAction action, Guid taskId, TaskOutcome task)
    {
        switch (task.Status)
        {
            case AgentTaskStatus.Completed:
                var output = TaskOutput(await readTaskResultAsync(taskId));
                if (output.Length > MaxOutput)
                {
                    turn.Fail(step, new StepError(
                        ErrorClass.TooLarge.ToApiName(), $"The step's output is longer than {MaxOutput:N0} characters.",
                        step.StepId));
                }
                else
                {
                    turn.Complete(step, output);
                }

                break;
            case AgentTaskStatus.Failed:
                FailAttempt(step, action, new StepError(task.Error!.Class, task.Error.Message, step.StepId), null);
                break;
            case AgentTaskStatus.Cancelled:
                turn.Fail(step, new StepError("cancelled", "The step's task was cancelled.", step.StepId));
                break;
        }
    }

    private void FailAttempt(StepRun step, StepAction action, StepError error, double? retryAfterSeconds)
    {
        if (action.Retry?.Delay(step.Attempt, error.Class) is { } wait)
            turn.Retry(step, error, TimeSpan.FromSeconds(Math.Max(wait.TotalSeconds, retryAfterSeconds ?? 0)));
        else
            turn.Fail(step, error);
    }

    private async Task AddTaskAsync(StepRun step, TaskAction action)
    {
        var seen = await values.ForAsync([action.AgentId, action.Description, .. action.Input?.Texts ?? []]);
        var description = await action.Description.RenderAsync(seen);
        if (string.IsNullOrWhiteSpace(description) || description.Length > 100_000)
            throw new LiquidException("The description must have 1 to 100,000 characters.");
        var agent = (await action.AgentId.RenderAsync(seen)).Trim();
        if (agent.Length is 0 or > 100)
            throw new LiquidException("The agent_id must have 1 to 100 characters.");
        var input = action.Input is null ? null : await action.Input.RenderAsync(seen);

        var id = RowId.New();
        step.TaskId = id;
        turn.NewTasks.Add(new NewTask(
            id, agent, description, input, action.Priority, ["workflow"],
            JsonSerializer.Serialize(
                new TaskOrigin(turn.WorkflowId, step.StepId, step.Kind.ToText(), step.Run, step.Attempt),
                WorkflowJson.Default.TaskOrigin),
            action.TimeoutSeconds, action.MaxAttempts, ScheduledAt: null, turn.CreatedBy)
        {
            Workflow = new TaskWorkflow(turn.WorkflowId, turn.Run),
        });
    }

    private async Task<WebhookCall> RenderAsync(WebhookAction action)
    {
        var seen = await values.ForAsync([action.Url, .. action.Headers.Values, .. action.Body?.Texts ?? []]);
        var headers = new Dictionary<string, string>();
        foreach (var (name, text) in action.Headers)
            headers[name] = (await text.RenderAsync(seen)).ReplaceLineEndings(" ");
        return new WebhookCall(
            action.Method, (await action.Url.RenderAsync(seen)).Trim(), headers,
            action.Body is null ? null : await action.Body.RenderAsync(seen), action.TimeoutSeconds);
    }

    /// <summary>An answer that is a JSON object or array becomes JSON; any other, a string.</summary>
    private static string TaskOutput(string result)
    {
        var start = result.AsSpan().TrimStart();
        if (start.Length > 0 && start[0] is '{' or '[' && result.Length <= MaxOutput
            && OutsideJson.TryParse(result, out var json))
            return json.GetRawText();
        return JsonSerializer.Serialize(result, WorkflowJson.Default.String);
    }
}

/// <summary>The origin of a task, in its metadata.</summary>
internal sealed record TaskOrigin(Guid WorkflowId, string Step, string Kind, int Run, int Attempt);
