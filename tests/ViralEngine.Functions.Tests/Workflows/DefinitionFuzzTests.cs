using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>
/// Whatever is sent as a definition, a template or a decision: taken, or refused with a problem that says why.
/// </summary>
[Trait("Category", "BlackBox")]
public sealed class DefinitionFuzzTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    private static readonly string[] Fields =
    [
        "id", "type", "name", "agent_id", "description", "input", "branches", "conditions", "condition", "default",
        "value", "pattern", "min", "max", "text", "is", "approvers", "roles", "users", "quorum", "timeout_seconds",
        "on_timeout", "escalation", "title", "retry", "max_attempts", "rollback", "url", "headers", "body", "seconds",
        "until", "steps", "parameters", "decision", "reason", "expires_in_seconds", "approver", "visibility", "version",
        "definition", "rollback_on_cancel",
    ];

    private static readonly string[] Texts =
    [
        "task", "parallel", "choice", "approval", "delay", "webhook", "echo", "a", "", "{{ input.x }}", "{% for %}",
        "{{", "(a+)+$", "(", "\ud83d", "é", "https://example.com", "approve", "reject", "public",
        "2030-01-01T00:00:00Z", "approver", "regex_match", "all", "string", "enum", "'; DROP TABLE viral.tasks; --",
    ];

    [Fact]
    public async Task Nothing_that_is_sent_is_answered_with_a_500()
    {
        using var tenant = await api.NewTenantAsync();
        var random = new Random(20261124);
        string[] routes =
        [
            "/api/workflows", "/api/workflow-templates", $"/api/workflows/from-template/{Guid.NewGuid()}",
            $"/api/workflows/{Guid.NewGuid()}/gates/x/decisions", $"/api/workflows/{Guid.NewGuid()}/gates/x/links",
            "/api/workflows/%20/retry-from-step/%20", "/api/approvals/links/" + new string('A', 98),
            "/api/approvals/links/x",
        ];
        for (var round = 0; round < 400; round++)
        {
            var body = new JsonObject { ["steps"] = Array(random, 1) };
            foreach (var _ in Enumerable.Range(0, random.Next(4)))
                body[Fields[random.Next(Fields.Length)]] = Value(random, 1);
            var bytes = Encoding.UTF8.GetBytes(body.ToJsonString());
            if (random.Next(10) == 0)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var route = random.Next(2) == 0 ? routes[0] : routes[random.Next(routes.Length)];

            var answer = await tenant.Owner.SendBytesAsync(HttpMethod.Post, route, bytes, "application/json");

            Assert.True(
                answer.Status < HttpStatusCode.InternalServerError,
                $"{Encoding.UTF8.GetString(bytes)}: {answer}\n{answer.Log()}");
            if (answer.Status == HttpStatusCode.BadRequest)
                Assert.NotEmpty(answer.ExpectProblem(HttpStatusCode.BadRequest).Errors);
        }
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 6 ? 6 : 9) switch
    {
        0 => null,
        1 => random.Next(-5, 5000),
        2 => random.NextDouble() * 1e30,
        3 => random.Next(2) == 0,
        4 or 5 => Texts[random.Next(Texts.Length)],
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth + 1))]),
        7 => Step(random, depth),
        _ => Array(random, depth),
    };

    private static JsonArray Array(Random random, int depth) =>
        new([.. Enumerable.Range(0, random.Next(4)).Select(_ => Step(random, depth + 1))]);

    private static JsonObject Step(Random random, int depth)
    {
        var step = new JsonObject { ["id"] = $"s{random.Next(100_000)}", ["type"] = Texts[random.Next(6)] };
        foreach (var _ in Enumerable.Range(0, random.Next(8)))
            step[Fields[random.Next(Fields.Length)]] = Value(random, depth + 1);
        return step;
    }
}
