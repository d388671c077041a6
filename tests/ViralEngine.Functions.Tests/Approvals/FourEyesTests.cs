using System.Net;
using System.Text.Json;
using ViralEngine.Functions.Tests.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Approvals;

/// <summary>
/// One person is one pair of eyes, whatever keys and links they hold; and a gate that nobody can open does not wait.
/// </summary>
[Trait("Category", "BlackBox")]
public sealed class FourEyesTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task Two_keys_that_one_person_made_decide_once()
    {
        using var tenant = await api.NewTenantAsync();
        using var one = await tenant.NewClientAsync("approver");
        using var two = await tenant.NewClientAsync("approver");
        using var person = await tenant.NewPersonAsync("approver");
        var id = await AskAsync(tenant, new { quorum = 2 });

        (await one.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);
        var refused = (await two.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Conflict);
        var inbox = (await two.GetAsync("/api/approvals")).Expect(HttpStatusCode.OK).Json.GetProperty("approvals")
            .GetArrayLength();
        var status = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json.GetProperty("status")
            .GetString();
        (await person.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);

        Assert.EndsWith("already-decided", refused.Type);
        Assert.Equal(("open", 0), (status, inbox));
        await tenant.Owner.WaitForWorkflowAsync(id, "completed");
    }

    [Fact]
    public async Task A_key_made_with_a_key_is_the_same_person_however_long_the_line()
    {
        using var tenant = await api.NewTenantAsync();
        using var admin = await tenant.NewClientAsync("admin");
        using var person = await tenant.NewPersonAsync("approver");
        var made = (
            await admin.PostAsync($"/api/organizations/{tenant.Id}/api-keys", new { name = "mine", role = "approver" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString()!;
        using var approver = api.NewClient(made);
        var id = await AskAsync(tenant, new { exclude_requester = true });

        var refused = (await approver.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Forbidden);
        (await person.DecideAsync(id, "ask", "approve")).Expect(HttpStatusCode.OK);

        Assert.Contains("keys they created", refused.Detail);
        await tenant.Owner.WaitForWorkflowAsync(id, "completed");
    }

    [Theory]
    [InlineData("approve")]
    [InlineData("reject")]
    public async Task Nobody_makes_a_link_for_another(string decision)
    {
        using var tenant = await api.NewTenantAsync();
        using var admin = await tenant.NewClientAsync("admin");
        using var person = await tenant.NewPersonAsync("approver");
        var keys = (
            await tenant.Owner.GetAsync($"/api/organizations/{tenant.Id}/api-keys")).Json.GetProperty("api_keys");
        var theirs = keys.EnumerateArray().Single(key => key.GetProperty("role").GetString() == "approver")
            .GetProperty("id").GetString();
        var id = await AskAsync(tenant, new { });

        foreach (var maker in new[] { admin, tenant.Owner })
        {
            (await maker.PostAsync(
                $"/api/workflows/{id}/gates/ask/links", new { decision, approver = $"api_key:{theirs}" }))
                .ExpectProblem(HttpStatusCode.Forbidden);
        }

        var own = (await person.PostAsync($"/api/workflows/{id}/gates/ask/links", new { decision }))
            .Expect(HttpStatusCode.Created).Json;
        using var anybody = api.NewClient();
        (await anybody.PostAsync(new Uri(own.GetProperty("url").GetString()!).AbsolutePath)).Expect(HttpStatusCode.OK);
        var made = (await tenant.Owner.GetAsync($"/api/workflows/{id}/gates/ask")).Json.GetProperty("decisions")[0];
        Assert.Equal($"api_key:{theirs}", made.GetProperty("link_created_by").GetString());
    }

    [Fact]
    public async Task Who_is_asked_by_name_must_be_there_when_the_gate_is_defined()
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.PostAsync("/api/workflows", new
        {
            definition = new
            {
                steps = new object[]
                {
                    Gate(new
                    {
                        approvers = new { roles = new[] { "owner" }, users = new[] { "nobody" } },
                        timeout_seconds = 60, on_timeout = "escalate",
                        escalation = new { users = new[] { $"api_key:{Guid.NewGuid()}" }, timeout_seconds = 60 },
                    }),
                },
            },
        })).ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Equal(
            ["definition.steps[0].approvers.users[0]", "definition.steps[0].escalation.users[0]"],
            problem.Errors.Keys.Order());
    }

    [Fact]
    public async Task A_gate_that_too_few_can_open_fails_at_once_and_says_why()
    {
        using var tenant = await api.NewTenantAsync();
        using var one = await tenant.NewClientAsync("approver");
        using var two = await tenant.NewClientAsync("approver");
        var asksOnePersonTwice = await StartAsync(tenant, new { quorum = 2 });
        var asksNobodyElse = await StartAsync(
            tenant, new { approvers = new { roles = new[] { "owner" } }, exclude_requester = true });
        var asksNobody = await StartAsync(
            tenant, new { approvers = new { roles = new[] { "operator" } }, timeout_seconds = 3600 });
        var timeOpensIt = await StartAsync(
            tenant,
            new { approvers = new { roles = new[] { "operator" } }, timeout_seconds = 3600, on_timeout = "approve" });

        foreach (var id in new[] { asksOnePersonTwice, asksNobodyElse, asksNobody })
        {
            var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");
            Assert.Equal("nobody_to_decide", failed.GetProperty("error").GetProperty("class").GetString());
        }

        await tenant.Owner.WaitForGateAsync(timeOpensIt, "ask");
    }

    private static async Task<string> AskAsync(TestTenant tenant, object gate)
    {
        var id = await StartAsync(tenant, gate);
        await tenant.Owner.WaitForGateAsync(id, "ask");
        return id;
    }

    private static Task<string> StartAsync(TestTenant tenant, object gate) =>
        tenant.StartAsync(new { steps = new object[] { Gate(gate) } });

    private static JsonElement Gate(object more)
    {
        var gate = new Dictionary<string, object?>
        {
            ["id"] = "ask",
            ["type"] = "approval",
            ["title"] = "Go on?",
            ["approvers"] = new { roles = new[] { "approver" } },
        };
        foreach (var property in JsonSerializer.SerializeToElement(more).EnumerateObject())
            gate[property.Name] = property.Value;
        return JsonSerializer.SerializeToElement(gate);
    }
}
