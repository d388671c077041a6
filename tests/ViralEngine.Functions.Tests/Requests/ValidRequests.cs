using System.Net;
using System.Text.RegularExpressions;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Tasks;
using ViralEngine.Functions.Templates;
using ViralEngine.Functions.Webhooks;
using ViralEngine.Functions.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>A valid body for every endpoint, and a path to something that is there.</summary>
internal static partial class ValidRequests
{
    /// <summary>
    /// A body that passes each endpoint's checks, so that what answers is the rule under test and not a 400.
    /// </summary>
    private static readonly Dictionary<Type, object> Bodies = new()
    {
        [typeof(SaveAgentRequest)] = new
        {
            name = "theirs",
            kind = "echo",
            settings = new { chunk_size = 1, price = new { input_per_million = 1, output_per_million = 1 } },
        },
        [typeof(CreateTaskRequest)] = new { agent_id = "echo", description = "theirs" },
        [typeof(CreateBatchRequest)] =
            new { name = "theirs", agent_id = "echo", items = new[] { new { description = "theirs" } } },
        [typeof(CreateWebhookRequest)] = new { url = "https://example.invalid/hook" },
        [typeof(CreateWorkflowRequest)] = new { steps = Steps },
        [typeof(CreateOrganizationRequest)] = new { name = "theirs" },
        [typeof(TestAgentRequest)] = new { description = "hello" },
        [typeof(DecideRequest)] = new { decision = "approve" },
        [typeof(CreateLinkRequest)] = new { decision = "approve" },
        [typeof(SetBudgetRequest)] = new { monthly_usd = 1 },
        [typeof(UpdateOrganizationRequest)] = new { name = "theirs" },
        [typeof(AddMemberRequest)] = new { subject = "someone", role = "viewer" },
        [typeof(ChangeMemberRequest)] = new { role = "viewer" },
        [typeof(CreateApiKeyRequest)] = new { name = "theirs", role = "viewer" },
        [typeof(SaveTemplateRequest)] = new
        {
            name = "theirs",
            steps = Steps,
            parameters = new[] { new { name = "a", type = "string" } },
        },
        [typeof(StartFromTemplateRequest)] = new { },
        [typeof(ChangeWebhookRequest)] = new { description = "theirs" },
        [typeof(RotateSecretRequest)] = new { },
        [typeof(AlertRuleRequest)] = new { name = "theirs", metric = "failures" },
        [typeof(MuteAlertRequest)] = new { minutes = 5 },
    };

    /// <summary>One for all routes: it takes a minute to come.</summary>
    private static Task<string>? alert;

    private static object Steps => new[]
    {
        new { id = "ask", type = "approval", title = "May I?", approvers = new { roles = new[] { "approver" } } }
    };

    public static object? BodyOf(Endpoint endpoint)
    {
        var type = endpoint.Method.GetCustomAttributes(typeof(BodyAttribute), false).Cast<BodyAttribute>()
            .FirstOrDefault()?.Type;
        if (type is null)
            return null;
        return Bodies.TryGetValue(type, out var body)
            ? body
            : throw new InvalidOperationException(
                $"Add a valid {type.Name} to {nameof(Bodies)}: the new route is not tested without.");
    }

    /// <summary>The route with ids of things that are there, made for the tenant.</summary>
    public static async Task<string> PathOfAsync(TestTenant tenant, string route)
    {
        var owner = tenant.Owner;
        if (!route.Contains('{'))
            return route;
        switch (route.Split('/'))
        {
            case ["tasks", ..]:
                return Fill(route, await tenant.SubmitAsync(new { agent_id = "echo", description = "mine" }));
            case ["agents", ..]:
                return Fill(route, await tenant.NewEchoAsync(new { }));
            case ["batches", ..]:
                return Fill(
                    route,
                    await CreateAsync(
                        "batches",
                        new { name = "mine", agent_id = "echo", items = new[] { new { description = "mine" } } }));
            case ["organizations", _, "members", _]:
                return Fill(
                    route, $"{tenant.Id}",
                    await CreateAsync($"organizations/{tenant.Id}/members", new { subject = "mine", role = "viewer" }));
            case ["organizations", _, "api-keys", _]:
                return Fill(
                    route, $"{tenant.Id}",
                    await CreateAsync($"organizations/{tenant.Id}/api-keys", new { name = "mine", role = "viewer" }));
            case ["organizations", ..]:
                return Fill(route, $"{tenant.Id}");
            case ["webhooks", _, "deliveries", _, ..]:
                var withDelivery = await CreateAsync(
                    "webhooks", new { url = "https://example.invalid/hook", event_types = new[] { "*" } });
                await tenant.SubmitAsync(new { agent_id = "echo", description = "told" });
                var delivery = await Eventually.GetAsync(
                    () => owner.GetAsync($"/api/webhooks/{withDelivery}/deliveries"),
                    answer => answer.Json.GetProperty("deliveries").GetArrayLength() > 0,
                    "a delivery");
                return Fill(
                    route, withDelivery, delivery.Json.GetProperty("deliveries")[0].GetProperty("id").GetString()!);
            case ["webhooks", ..]:
                return Fill(route, await CreateAsync(
                    "webhooks", new { url = "https://example.invalid/hook", event_types = new[] { "*" } }));
            case ["alert-rules", ..]:
                return Fill(route, await CreateAsync("alert-rules", new { name = "mine", metric = "failures" }));
            case ["alerts", ..]:
                return Fill(route, await (alert ??= RaiseAlertAsync(owner)));
            case ["workflow-templates", ..] or ["workflows", "from-template", ..]:
                return Fill(route, await CreateAsync("workflow-templates", new { name = "mine", steps = Steps }));
            case ["workflows", ..]:
                return Fill(route, await CreateAsync("workflows", new { steps = Steps }), "ask");
            default:
                throw new InvalidOperationException($"Add a case for {route}: the new route is not tested without.");
        }

        async Task<string> CreateAsync(string path, object body)
        {
            var made = await owner.PostAsync($"/api/{path}", body);
            return made.Status is HttpStatusCode.Created or HttpStatusCode.Accepted
                ? made.Json.GetProperty("id").GetString()!
                : throw new ApiExpectationException($"Expected to create one, but {made}");
        }
    }

    /// <summary>
    /// No task finishes in a minute, which a bound says is too few: the timer raises an alert when it is over.
    /// </summary>
    private static async Task<string> RaiseAlertAsync(ApiClient owner)
    {
        var rule =
            new { name = "silence", metric = "throughput", mode = "static", direction = "below", bound_below = 1 };
        (await owner.PostAsync("/api/alert-rules", rule)).Expect(HttpStatusCode.Created);
        var raised = await Eventually.GetAsync(
            () => owner.GetAsync("/api/alerts"),
            answer => answer.Json.GetProperty("alerts").GetArrayLength() > 0,
            "an alert",
            TimeSpan.FromMinutes(4));
        return raised.Json.GetProperty("alerts")[0].GetProperty("id").GetString()!;
    }

    private static string Fill(string route, params string[] ids)
    {
        var next = 0;
        return Parameter().Replace(route, _ => ids[Math.Min(next++, ids.Length - 1)]);
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
