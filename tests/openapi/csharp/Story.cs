// A story of the API through a client that was generated from its document: what compiles here can be called, and what
// is read is there.
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Http.HttpClientLibrary;
using ViralEngine.Client;
using ViralEngine.Client.Models;

var (api, approver) = (ClientOf(args[1]), ClientOf(args[2]));

// 1. An agent: which settings there are follows from its kind.
var agent = (await api.Agents.PostAsync(new SaveAgentRequest
{
    SaveEchoAgentRequest = new()
    {
        Name = "slow", Kind = SaveEchoAgentRequest_kind.Echo,
        Settings = new EchoSettings { DelayMsPerChunk = 5, Repeat = 2 },
    },
}))!.EchoAgent!;
Assert(agent.Settings!.Repeat == 2, "the agent's settings");

// 2. A task, with an object of the caller's own.
var task = (await api.Tasks.PostAsync(new CreateTaskRequest
{
    AgentId = agent.Id,
    Description = "one two three",
    Metadata = new FreeObject { AdditionalData = { ["order"] = "7481" } },
    Input = new UntypedObject(new Dictionary<string, UntypedNode> { ["lines"] = new UntypedInteger(3) }),
}))!;
Assert(task.Status == AgentTaskStatus.Pending, "the task's status");

// 3. It is done.
var id = task.Id!.Value;
task = await UntilAsync(() => api.Tasks[id].GetAsync(), read => read.Status == AgentTaskStatus.Completed);
Assert(task.Metadata!.AdditionalData["order"] is "7481", "the task's metadata");

// 4. Its history: what an event holds follows from its type.
var history = (await api.Tasks[id].History.GetAsync())!;
Assert(history.Events![0].TaskCreatedEvent!.Data!.AgentId == agent.Id, "the first event");
Assert(history.Events[^1].TaskCompletedEvent!.Data!.Attempt == 1, "the last event");

// 5. Its stream.
using (var stream = new StreamReader((await api.Tasks[id].StreamResponse.GetAsync())!))
    Assert((await stream.ReadToEndAsync()).Contains("event: done"), "the stream");

// 6. A batch.
var batch = (await api.Batches.PostAsync(new CreateBatchRequest
{
    Name = "story", AgentId = "echo", Items =
    [
        new BatchItemRequest { Description = "a" }, new BatchItemRequest { Description = "b" }
    ],
}))!;

// 7. Its results.
batch = await UntilAsync(
    () => api.Batches[batch.Id!.Value].GetAsync(), read => read.Status == AgentTaskStatus.Completed);
var results = (await api.Batches[batch.Id!.Value].Results.GetAsync())!;
Assert(results.Results!.Count == 2 && results.Results[0].Result == "a", "the batch's results");

// 8. A workflow: which members a step or a condition has follows from its type.
var workflow = (await api.Workflows.PostAsync(new CreateWorkflowRequest
{
    Steps =
    [
        new WorkflowStep
        {
            ApprovalStep = new()
            {
                Id = "ask", Type = ApprovalStep_type.Approval, Title = "May I?",
                Approvers = new() { Roles = [DeciderRole.Approver] },
            },
        },
        new WorkflowStep
        {
            ChoiceStep = new()
            {
                Id = "which",
                Type = ChoiceStep_type.Choice,
                Conditions =
                [
                    new ChoiceBranch
                    {
                        TextMatchBranch = new()
                        {
                            Type = TextMatchBranch_type.Text_match, Value = "{{ steps.ask.output.decision }}",
                            Text = "approve",
                            Steps =
                            [
                                new WorkflowStep
                                {
                                    TaskStep = new()
                                    {
                                        Id = "say", Type = TaskStep_type.Task, AgentId = "echo", Description = "yes"
                                    }
                                }
                            ],
                        },
                    },
                ],
            },
        },
    ],
}))!;
Assert(workflow.Definition!.Steps![0].ApprovalStep!.Title == "May I?", "the first step read back");
Assert(
    workflow.Definition.Steps[1].ChoiceStep!.Conditions![0].TextMatchBranch!.Steps![0].TaskStep!.Description == "yes",
    "the branch read back");

// 9. The approver decides, and it goes on.
var gate = approver.Workflows[workflow.Id!.Value].Gates["ask"];
await UntilAsync(
    async () => (await approver.Approvals.GetAsync())!.Approvals!,
    waiting => waiting.Any(each => each.WorkflowId == workflow.Id));
Assert(
    (await gate.Decisions.PostAsync(new DecideRequest { Decision = DecisionKind.Approve }))!.Status
        == GateStatus.Approved,
    "the gate");
await UntilAsync(() => api.Workflows[workflow.Id.Value].GetAsync(), read => read.Status == WorkflowStatus.Completed);

// 10. What was read can be sent again.
await api.Workflows.PostAsync(
    new CreateWorkflowRequest { Name = workflow.Name, Definition = workflow.Definition, Input = workflow.Input });

// 11. A merge patch, and a problem with its words as the exception's.
var member = await api.Organizations.GetAsync();
await api.Organizations[member!.Organizations![0].Id!.Value].PatchAsync(new() { Name = "Renamed" });
try
{
    await api.Tasks[Guid.NewGuid()].GetAsync();
    Assert(false, "a task that is not there");
}
catch (Problem problem)
{
    Assert(
        problem is { Type: ProblemType.UrnViralEngineProblemNotFound, Message: "There is no such task." },
        $"the problem: {problem.Type}, {problem.Message}");
}

Console.WriteLine("told");

EngineClient ClientOf(string key)
{
    return new(new HttpClientRequestAdapter(new BaseBearerTokenAuthenticationProvider(new Key(key)))
    {
        BaseUrl = $"{args[0]}/api"
    });
}

static async Task<T> UntilAsync<T>(Func<Task<T?>> read, Func<T, bool> holds)
{
    for (var i = 0; i < 600; i++)
    {
        if (await read() is { } it && holds(it))
            return it;
        await Task.Delay(100);
    }

    throw new TimeoutException("It did not come about in a minute.");
}

static void Assert(bool holds, string what)
{
    if (!holds)
        throw new InvalidOperationException($"Not as documented: {what}.");
}

internal sealed class Key(string key) : IAccessTokenProvider
{
    public AllowedHostsValidator AllowedHostsValidator { get; } = new();

    public Task<string> GetAuthorizationTokenAsync(
        Uri uri, Dictionary<string, object>? additionalAuthenticationContext = null,
        CancellationToken cancellationToken = default) =>
        Task.FromResult(key);
}
