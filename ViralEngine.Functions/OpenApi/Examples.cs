using System.Text.Json.Nodes;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Tasks;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Tasks;

namespace ViralEngine.Functions.OpenApi;

/// <summary>What the main requests and answers look like, by their record. Tests check each against its schema.</summary>
internal static class Examples
{
    private static readonly Dictionary<Type, string> Texts = new()
    {
        [typeof(CreateTaskRequest)] =
            """
            {
              "agent_id": "echo", "description": "Summarize the attached review in one sentence.",
              "input": { "review": "Arrived late, but the support was excellent." }, "priority": 5, "tags": ["reviews"],
              "metadata": { "order": "7481" }, "timeout_seconds": 120, "max_attempts": 3
            }
            """,
        [typeof(AgentTask)] =
            """
            {
              "id": "019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10", "status": "completed", "agent_id": "echo",
              "description": "Summarize the attached review in one sentence.",
              "input": { "review": "Arrived late, but the support was excellent." }, "priority": 5, "tags": ["reviews"],
              "metadata": { "order": "7481" }, "timeout_seconds": 120, "max_attempts": 3, "scheduled_at": null,
              "created_by": "api_key:019ad3a5-0000-7000-8000-000000000001", "created_at": "2030-01-31T12:00:00Z",
              "updated_at": "2030-01-31T12:00:01.2Z", "started_at": "2030-01-31T12:00:00.1Z", "completed_at": "2030-01-31T12:00:01.2Z",
              "next_attempt_at": null, "cancel_requested": false, "attempt": 1, "failed_attempts": 0, "progress": 1,
              "result": "Late delivery, excellent support.", "answered_by": "echo", "error": null,
              "usage": { "input_tokens": 24, "output_tokens": 5, "cost_usd": 0 }
            }
            """,
        [typeof(SaveAgentRequest)] =
            """
            {
              "name": "writer", "description": "Answers by chat completions.", "kind": "openai",
              "settings": { "preset": "openai", "model": "gpt-4o-mini", "temperature": 0.2 }, "api_key": "sk-0123456789abcdef"
            }
            """,
        [typeof(TestAgentRequest)] = """{ "description": "Reply with one short sentence." }""",
        [typeof(CreateOrganizationRequest)] = """{ "name": "Acme", "plan": "team" }""",
        [typeof(UpdateOrganizationRequest)] = """{ "name": "Acme Limited" }""",
        [typeof(CreatedOrganization)] =
            """
            {
              "id": "019ad3a5-0000-7000-8000-000000000000", "name": "Acme", "plan": "team", "created_at": "2030-01-31T12:00:00Z",
              "updated_at": "2030-01-31T12:00:00Z",
              "api_key": {
                "id": "019ad3a5-0000-7000-8000-000000000001", "name": "first key", "role": "owner", "hint": "x2Qd",
                "key": "vk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "expires_at": null
              }
            }
            """,
        [typeof(CreateApiKeyRequest)] = """{ "name": "nightly import", "role": "operator", "expires_at": "2031-01-31T00:00:00Z" }""",
        [typeof(AddMemberRequest)] =
            """{ "subject": "auth0|63f1c2", "email": "ada@example.com", "name": "Ada", "role": "approver" }""",
        [typeof(ChangeMemberRequest)] = """{ "role": "admin" }""",
        [typeof(Organization)] =
            """
            {
              "id": "019ad3a5-0000-7000-8000-000000000000", "name": "Acme", "plan": "team", "created_at": "2030-01-31T12:00:00Z",
              "updated_at": "2030-01-31T12:00:00Z"
            }
            """,
    };

    private static readonly Dictionary<Type, string> Patches = new()
    {
        [typeof(SaveAgentRequest)] = """{ "description": "Answers in one sentence.", "settings": { "temperature": null } }""",
    };

    public static JsonNode? Of(Type type) => Texts.TryGetValue(type, out var text) ? JsonNode.Parse(text) : null;

    /// <summary>Of a merge patch.</summary>
    public static JsonNode? OfPatch(Type type) => Patches.TryGetValue(type, out var text) ? JsonNode.Parse(text) : null;
}
