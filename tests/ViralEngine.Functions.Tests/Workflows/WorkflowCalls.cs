using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>What tests of workflows do again and again.</summary>
internal static class WorkflowCalls
{
    public static async Task<string> StartAsync(this TestTenant tenant, object workflow) =>
        (await tenant.Owner.PostAsync("/api/workflows", workflow)).Expect(HttpStatusCode.Created).Json.GetProperty("id")
            .GetString()!;

    public static async Task<JsonElement> WaitForWorkflowAsync(
        this ApiClient client, string id, params string[] statuses) =>
        (await Eventually.GetAsync(
            () => client.GetAsync($"/api/workflows/{id}"),
            answer => statuses.Contains(answer.Json.GetProperty("status").GetString()),
            $"workflow {id} to be {string.Join(" or ", statuses)}")).Json;

    public static async Task WaitForGateAsync(this ApiClient client, string id, string gate) =>
        await Eventually.GetAsync(
            () => client.GetAsync($"/api/workflows/{id}/gates/{gate}"),
            answer => answer.Status == HttpStatusCode.OK,
            $"gate {gate} of {id} to be there");

    public static Task<ApiResponse> DecideAsync(
        this ApiClient client, string id, string gate, string decision, string? reason = null) =>
        client.PostAsync($"/api/workflows/{id}/gates/{gate}/decisions", new { decision, reason });

    public static JsonElement Step(this JsonElement workflow, string id, string kind = "step") =>
        workflow.GetProperty("steps").EnumerateArray()
            .Single(step => step.GetProperty("id").GetString() == id && step.GetProperty("kind").GetString() == kind);

    public static string StatusOf(this JsonElement workflow, string id) =>
        workflow.Step(id).GetProperty("status").GetString()!;

    /// <summary>Every event of an ended workflow, as <c>number type</c>.</summary>
    public static async Task<List<(string Type, JsonElement Data)>> EventsAsync(this ApiClient client, string id)
    {
        var events = new List<(string, JsonElement)>();
        await foreach (var item in client.StreamAsync($"/api/workflows/{id}/stream"))
            events.Add((item.EventType, JsonDocument.Parse(item.Data).RootElement.GetProperty("data")));
        return events;
    }

    public static object Echo(string id, string description, object? rollback = null) => rollback is null
        ? new { id, type = "task", agent_id = "echo", description }
        : new { id, type = "task", agent_id = "echo", description, rollback };

    public static object Undo(string description) => new { type = "task", agent_id = "echo", description };
}
