using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>A workflow that has come to a gate.</summary>
internal static class WorkflowWithGate
{
    public static async Task<string> StartAsync(ApiClient client, string title, string message = "Please look at it.")
    {
        var id = (await client.PostAsync("/api/workflows", new
        {
            name = "release",
            steps = new object[]
            {
                new
                {
                    id = "ask", type = "approval", title, message,
                    approvers = new { roles = new[] { "approver", "owner" } }, timeout_seconds = 3600,
                },
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        await Eventually.TrueAsync(
            async () => (await client.GetAsync($"/api/workflows/{id}/gates/ask")).Status == HttpStatusCode.OK,
            "the gate to open");
        return id;
    }
}
