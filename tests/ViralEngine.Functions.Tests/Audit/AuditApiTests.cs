using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Audit;

[Trait("Category", "BlackBox")]
public sealed class AuditApiTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task Tells_who_did_what_to_what_from_where_before_and_after()
    {
        using var tenant = await api.NewTenantAsync();
        var created = (await tenant.Owner.PostAsync(
            "/api/webhooks",
            new
            {
                url = "https://example.com/hook?token=hush",
                headers = new Dictionary<string, string> { ["X-A"] = "hush" }
            },
            ("X-Request-ID", "request-1"), ("User-Agent", "audit test"))).Expect(HttpStatusCode.Created).Json;
        var (id, path) = (
            created.GetProperty("id").GetString()!, $"/api/webhooks/{created.GetProperty("id").GetString()}");
        (await tenant.Owner.PatchAsync(path, new { description = "Ours" })).Expect(HttpStatusCode.OK);
        var rotated = (await tenant.Owner.PostAsync(path + "/rotate-secret")).Expect(HttpStatusCode.OK).Json;
        (await tenant.Owner.DeleteAsync(path)).Expect(HttpStatusCode.NoContent);

        var log = (await tenant.Owner.GetAsync($"/api/audit-log?target_kind=webhook&target_id={id}"))
            .Expect(HttpStatusCode.OK);

        var entries = log.Json.GetProperty("entries").EnumerateArray().ToList();
        Assert.Equal(
            ["webhook.deleted", "webhook.secret_rotated", "webhook.changed", "webhook.created"], Actions(entries));
        Assert.All(
            entries,
            entry => Assert.StartsWith("api_key:", entry.GetProperty("actor").GetString(), StringComparison.Ordinal));
        Assert.All(entries, entry => Assert.Equal("owner", entry.GetProperty("role").GetString()));
        Assert.All(entries, entry => Assert.Equal("api_key", entry.GetProperty("credential").GetString()));
        Assert.Equal("request-1", entries[3].GetProperty("request_id").GetString());
        Assert.Equal("audit test", entries[3].GetProperty("user_agent").GetString());
        Assert.True(IPAddress.TryParse(entries[3].GetProperty("ip").GetString(), out _));
        Assert.Equal(JsonValueKind.Null, entries[3].GetProperty("before").ValueKind);
        Assert.Equal(
            "https://example.com/hook?[redacted]", entries[3].GetProperty("after").GetProperty("url").GetString());
        Assert.Equal(JsonValueKind.Null, entries[2].GetProperty("before").GetProperty("description").ValueKind);
        Assert.Equal("Ours", entries[2].GetProperty("after").GetProperty("description").GetString());
        Assert.Equal("Ours", entries[0].GetProperty("before").GetProperty("description").GetString());
        Assert.Equal(JsonValueKind.Null, entries[0].GetProperty("after").ValueKind);
        Assert.DoesNotContain(created.GetProperty("secret").GetString()!, log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(rotated.GetProperty("secret").GetString()!, log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Covers_people_keys_agents_and_orders_over_work()
    {
        using var tenant = await api.NewTenantAsync();
        var organization = $"/api/organizations/{tenant.Id}";
        var member = await CreateAsync($"{organization}/members", new { subject = "someone", role = "viewer" });
        (await tenant.Owner.PatchAsync($"{organization}/members/{member}", new { role = "operator" }))
            .Expect(HttpStatusCode.OK);
        (await tenant.Owner.DeleteAsync($"{organization}/members/{member}")).Expect(HttpStatusCode.NoContent);
        var key = await CreateAsync($"{organization}/api-keys", new { name = "ci", role = "viewer" });
        (await tenant.Owner.DeleteAsync($"{organization}/api-keys/{key}")).Expect(HttpStatusCode.NoContent);
        (await tenant.Owner.PatchAsync(organization, new { name = "Renamed" })).Expect(HttpStatusCode.OK);
        var agent = await CreateAsync("/api/agents", new { name = "mine", kind = "echo" });
        (await tenant.Owner.PutAsync($"/api/agents/{agent}", new { name = "ours", kind = "echo" }))
            .Expect(HttpStatusCode.OK);
        (await tenant.Owner.PatchAsync($"/api/agents/{agent}", new { name = "yours" })).Expect(HttpStatusCode.OK);
        (await tenant.Owner.DeleteAsync($"/api/agents/{agent}")).Expect(HttpStatusCode.NoContent);
        var task = await tenant.SubmitAsync(
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) });
        (await tenant.Owner.PostAsync($"/api/tasks/{task}/cancel")).Expect(HttpStatusCode.OK);
        (await tenant.Owner.PostAsync($"/api/tasks/{task}/retry")).Expect(HttpStatusCode.Accepted);

        var log = (await tenant.Owner.GetAsync("/api/audit-log?limit=100")).Expect(HttpStatusCode.OK);

        var entries = log.Json.GetProperty("entries").EnumerateArray().Reverse().ToList();
        Assert.Equal(
            [
                $"organization.created {tenant.Id}", $"member.added {member}", $"member.changed {member}",
                $"member.removed {member}", $"api_key.created {key}", $"api_key.revoked {key}",
                $"organization.updated {tenant.Id}", $"agent.created {agent}", $"agent.changed {agent}",
                $"agent.changed {agent}", $"agent.deleted {agent}", $"task.cancelled {task}", $"task.retried {task}",
            ],
            entries.Select(
                entry => $"{entry.GetProperty("action").GetString()} {entry.GetProperty("target_id").GetString()}")
                .Where(entry => !entry.StartsWith("api_key.created", StringComparison.Ordinal) || entry.EndsWith(
                    key, StringComparison.Ordinal)));
        Assert.Equal("platform", entries[0].GetProperty("actor").GetString());
        Assert.DoesNotMatch("vk_[A-Za-z0-9_-]{20}", log.Text);
        Assert.Equal(JsonValueKind.Null, entries[^1].GetProperty("after").ValueKind);

        async Task<string> CreateAsync(string route, object body) =>
            (await tenant.Owner.PostAsync(route, body)).Expect(HttpStatusCode.Created).Json.GetProperty("id")
                .GetString()!;
    }

    [Fact]
    public async Task Covers_budgets_batches_workflows_and_decisions()
    {
        using var tenant = await api.NewTenantAsync();
        (await tenant.Owner.PutAsync($"/api/organizations/{tenant.Id}/budget", new { monthly_usd = 10 }))
            .Expect(HttpStatusCode.OK);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var batch = (await tenant.Owner.SendBytesAsync(
            HttpMethod.Post, $"/api/batches?name=b&agent_id={agent}", "{\"description\":\"a\"}\n"u8.ToArray(),
            "application/x-ndjson")).Expect(HttpStatusCode.Accepted).Json.GetProperty("id").GetString();
        (await tenant.Owner.PostAsync($"/api/batches/{batch}/cancel")).Expect(HttpStatusCode.Accepted);
        var workflow = (await tenant.Owner.PostAsync("/api/workflows", new
        {
            steps = new object[]
            {
                new { id = "ask", type = "approval", title = "?", approvers = new { roles = new[] { "owner" } } }
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.PostAsync(
                $"/api/workflows/{workflow}/gates/ask/decisions", new { decision = "reject" })).Status
                == HttpStatusCode.OK,
            "the decision to be taken");

        var entries = (await tenant.Owner.GetAsync("/api/audit-log?limit=100")).Expect(HttpStatusCode.OK).Json
            .GetProperty("entries").EnumerateArray().ToList();

        Assert.Equal(10, Single("budget.changed").GetProperty("after").GetProperty("monthly_usd").GetDecimal());
        Assert.Equal(
            JsonValueKind.Null, Single("budget.changed").GetProperty("before").GetProperty("monthly_usd").ValueKind);
        var gate = (await tenant.Owner.GetAsync($"/api/workflows/{workflow}/gates/ask")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(
            gate.GetProperty("id").GetString(), Single("approval.decided").GetProperty("target_id").GetString());
        Assert.Equal(batch, Single("batch.cancelled").GetProperty("target_id").GetString());
        Assert.DoesNotContain(
            entries, entry => entry.GetProperty("action").GetString() is "batch.created" or "workflow.created");

        JsonElement Single(string action) => entries.Single(entry => entry.GetProperty("action").GetString() == action);
    }

    [Fact]
    public async Task What_was_refused_is_no_entry()
    {
        using var tenant = await api.NewTenantAsync();
        var before = await CountAsync();

        (await tenant.Owner.PostAsync("/api/webhooks", new { url = "ftp://example.com" })).ExpectProblem(
            HttpStatusCode.BadRequest);
        (await tenant.Owner.DeleteAsync($"/api/webhooks/{Guid.NewGuid()}")).ExpectProblem(HttpStatusCode.NotFound);
        (await tenant.Owner.PostAsync($"/api/tasks/{Guid.NewGuid()}/cancel")).ExpectProblem(HttpStatusCode.NotFound);

        Assert.Equal(before, await CountAsync());

        async Task<int> CountAsync() =>
            (await tenant.Owner.GetAsync("/api/audit-log?limit=100")).Json.GetProperty("entries").GetArrayLength();
    }

    [Fact]
    public async Task An_answer_that_is_given_again_is_no_second_entry()
    {
        using var tenant = await api.NewTenantAsync();
        var body = new { name = "once", kind = "echo" };

        var first = (await tenant.Owner.PostAsync("/api/agents", body, ("Idempotency-Key", "k")))
            .Expect(HttpStatusCode.Created);
        var again = (await tenant.Owner.PostAsync("/api/agents", body, ("Idempotency-Key", "k")))
            .Expect(HttpStatusCode.Created);

        Assert.Equal(first.Text, again.Text);
        var log = (await tenant.Owner.GetAsync("/api/audit-log?action=agent.created")).Expect(HttpStatusCode.OK).Json;
        Assert.Single(log.GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public async Task Is_for_admins_of_the_tenant_alone_and_comes_in_pages()
    {
        using var tenant = await api.NewTenantAsync();
        using var other = await api.NewTenantAsync();
        for (var i = 0; i < 5; i++)
            (await tenant.Owner.PostAsync("/api/agents", new { name = $"a{i}", kind = "echo" }))
                .Expect(HttpStatusCode.Created);
        var viewer = (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = "v", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString();
        using var reader = new ApiClient(tenant.Owner.Address, viewer);

        var first = (await tenant.Owner.GetAsync("/api/audit-log?action=agent.*&limit=3"))
            .Expect(HttpStatusCode.OK).Json;
        var second = (await tenant.Owner.GetAsync(
            $"/api/audit-log?action=agent.*&limit=3&cursor={first.GetProperty("next_cursor").GetString()}"))
            .Expect(HttpStatusCode.OK).Json;

        Assert.Equal(3, first.GetProperty("entries").GetArrayLength());
        Assert.Equal(2, second.GetProperty("entries").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_cursor").ValueKind);
        (await reader.GetAsync("/api/audit-log")).ExpectProblem(HttpStatusCode.Forbidden);
        (await tenant.Owner.GetAsync("/api/audit-log?from=yesterday")).ExpectProblem(HttpStatusCode.BadRequest);
        Assert.DoesNotContain(
            "agent.created",
            Actions((await other.Owner.GetAsync("/api/audit-log")).Json.GetProperty("entries").EnumerateArray()));
    }

    private static IEnumerable<string> Actions(IEnumerable<JsonElement> entries) =>
        entries.Select(entry => entry.GetProperty("action").GetString()!);
}
