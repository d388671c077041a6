using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Templates;
using ViralEngine.Functions.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>Every route of the app × every role × own and foreign tenant, made from the attributes that the app itself goes by.</summary>
[Trait("Category", "BlackBox")]
public sealed partial class RouteMatrixTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    /// <summary>A body that passes each endpoint's checks, so that what answers is the rule under test and not a 400.</summary>
    private static readonly Dictionary<Type, object> Bodies = new()
    {
        [typeof(SaveAgentRequest)] = new { name = "theirs", kind = "echo" },
        [typeof(TestAgentRequest)] = new { description = "hello" },
        [typeof(DecideRequest)] = new { decision = "approve" },
        [typeof(CreateLinkRequest)] = new { decision = "approve" },
        [typeof(SetBudgetRequest)] = new { monthly_usd = 1 },
        [typeof(UpdateOrganizationRequest)] = new { name = "theirs" },
        [typeof(AddMemberRequest)] = new { subject = "someone", role = "viewer" },
        [typeof(ChangeMemberRequest)] = new { role = "viewer" },
        [typeof(CreateApiKeyRequest)] = new { name = "theirs", role = "viewer" },
        [typeof(SaveTemplateRequest)] = new { name = "theirs", steps = Steps },
        [typeof(StartFromTemplateRequest)] = new { },
        [typeof(ChangeWebhookRequest)] = new { description = "theirs" },
        [typeof(RotateSecretRequest)] = new { },
    };

    private static object Steps => new[] { new { id = "ask", type = "approval", title = "May I?", approvers = new { roles = new[] { "approver" } } } };

    public static TheoryData<string> Functions => [.. new EndpointCatalog().All.Where(e => !e.IsFallback && e.Allowed is not null).Select(e => e.Function)];

    public static TheoryData<string> FunctionsWithIds =>
        [.. new EndpointCatalog().All.Where(e => !e.IsFallback && e.Allowed is not null && e.Route.Contains('{')).Select(e => e.Function)];

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Lets_in_whom_it_allows_and_nobody_else(string function)
    {
        var endpoint = new EndpointCatalog().Find(function)!;
        using var tenant = await app.NewTenantAsync();

        foreach (var role in Enum.GetValues<Role>().Where(role => role != Role.None))
        {
            using var client = role == Role.Platform ? app.NewPlatformClient() : await tenant.NewClientAsync(role.ToText());
            var answer = await SendAsync(client, endpoint, Parameter().Replace(endpoint.Route, _ => Guid.NewGuid().ToString()), body: null);

            if ((endpoint.Allowed & role) != 0)
            {
                Assert.False(
                    answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, $"{role} should be let in: {answer}");
            }
            else
            {
                answer.ExpectProblem(HttpStatusCode.Forbidden);
                Assert.Contains("insufficient_scope", answer.Header("WWW-Authenticate"));
            }
        }

        using var nobody = app.NewClient();
        var refused = await SendAsync(nobody, endpoint, Parameter().Replace(endpoint.Route, _ => Guid.NewGuid().ToString()), body: null);
        refused.ExpectProblem(HttpStatusCode.Unauthorized);
        Assert.StartsWith("Bearer", refused.Header("WWW-Authenticate"));
    }

    [Theory]
    [MemberData(nameof(FunctionsWithIds))]
    public async Task Another_tenant_s_id_is_not_found(string function)
    {
        var endpoint = new EndpointCatalog().Find(function)!;
        using var mine = await app.NewTenantAsync();
        using var other = await app.NewTenantAsync();
        var path = await PathOfAsync(mine, endpoint.Route);

        var answer = await SendAsync(other.Owner, endpoint, path, BodyFor(endpoint));

        answer.ExpectProblem(HttpStatusCode.NotFound);
    }

    private static object? BodyFor(Endpoint endpoint)
    {
        var type = endpoint.Method.GetCustomAttributes(typeof(BodyAttribute), false).Cast<BodyAttribute>().FirstOrDefault()?.Type;
        if (type is null)
            return null;
        return Bodies.TryGetValue(type, out var body)
            ? body
            : throw new InvalidOperationException($"Add a valid {type.Name} to {nameof(Bodies)}: the new route is not tested without.");
    }

    private static Task<ApiResponse> SendAsync(ApiClient client, Endpoint endpoint, string path, object? body)
    {
        var query = endpoint.Function == "RecoverWebhook" ? "?since=2026-01-01T00:00:00Z" : "";
        var request = new HttpRequestMessage(new HttpMethod(endpoint.Methods[0]), $"/api/{path}{query}");
        if (body is not null)
            request.Content = JsonContent.Create(body);
        return client.SendAsync(request);
    }

    /// <summary>The route with ids of things that are there, made for the tenant.</summary>
    private static async Task<string> PathOfAsync(TestTenant tenant, string route)
    {
        var owner = tenant.Owner;
        switch (route.Split('/'))
        {
            case ["tasks", ..]:
                return Fill(route, await tenant.SubmitAsync(new { agent_id = "echo", description = "mine" }));
            case ["agents", ..]:
                return Fill(route, await tenant.NewEchoAsync(new { }));
            case ["batches", ..]:
                return Fill(route, await CreateAsync("batches", new { name = "mine", agent_id = "echo", items = new[] { new { description = "mine" } } }));
            case ["organizations", _, "members", _]:
                return Fill(route, $"{tenant.Id}", await CreateAsync($"organizations/{tenant.Id}/members", new { subject = "mine", role = "viewer" }));
            case ["organizations", _, "api-keys", _]:
                return Fill(route, $"{tenant.Id}", await CreateAsync($"organizations/{tenant.Id}/api-keys", new { name = "mine", role = "viewer" }));
            case ["organizations", ..]:
                return Fill(route, $"{tenant.Id}");
            case ["webhooks", _, "deliveries", _, ..]:
                var withDelivery = await CreateAsync("webhooks", new { url = "https://example.invalid/hook", event_types = new[] { "*" } });
                await tenant.SubmitAsync(new { agent_id = "echo", description = "told" });
                var delivery = await Eventually.GetAsync(
                    () => owner.GetAsync($"/api/webhooks/{withDelivery}/deliveries"),
                    answer => answer.Json.GetProperty("deliveries").GetArrayLength() > 0,
                    "a delivery");
                return Fill(route, withDelivery, delivery.Json.GetProperty("deliveries")[0].GetProperty("id").GetString()!);
            case ["webhooks", ..]:
                return Fill(route, await CreateAsync("webhooks", new { url = "https://example.invalid/hook", event_types = new[] { "*" } }));
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

    private static string Fill(string route, params string[] ids)
    {
        var next = 0;
        return Parameter().Replace(route, _ => ids[Math.Min(next++, ids.Length - 1)]);
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
