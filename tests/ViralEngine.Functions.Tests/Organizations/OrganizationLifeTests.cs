using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Organizations;

/// <summary>Who gets into an organization, who stays in, and what stops when it is deleted.</summary>
public sealed class OrganizationLifeTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task Whoever_is_invited_acts_for_the_organization_only_once_they_have_accepted()
    {
        using var tenant = await NewTenantAsync();
        using var stranger = await NewTenantAsync();
        var subject = $"person-{Guid.NewGuid():n}";
        using var person = running.App.NewClient(DevelopmentToken.Create(subject));
        using var other = running.App.NewClient(DevelopmentToken.Create("another"));
        (await tenant.NewMemberAsync("viewer", subject)).Dispose();
        var invited = await InviteAsync(stranger, subject, "admin");

        var own = (await person.GetAsync("/api/organizations"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("organizations");
        (await ActForAsync(person, stranger)).ExpectProblem(HttpStatusCode.Forbidden);
        var waiting = (await person.GetAsync("/api/invitations"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("invitations");
        (await other.PostAsync($"/api/invitations/{invited}/accept")).ExpectProblem(HttpStatusCode.NotFound);
        (await stranger.Owner.PostAsync($"/api/invitations/{invited}/accept")).ExpectProblem(
            HttpStatusCode.Unauthorized);
        (await person.PostAsync($"/api/invitations/{invited}/accept")).Expect(HttpStatusCode.OK);
        (await person.PostAsync($"/api/invitations/{invited}/accept")).Expect(HttpStatusCode.OK);
        (await ActForAsync(person, stranger)).Expect(HttpStatusCode.OK);
        var unnamed = (await person.GetAsync("/api/organizations")).ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Equal(tenant.Id, own[0].GetProperty("id").GetGuid());
        Assert.Equal([(stranger.Id, "admin")], waiting.EnumerateArray().Select(
            each => (each.GetProperty("organization_id").GetGuid(), each.GetProperty("role").GetString())));
        Assert.Contains("X-Tenant-ID", unnamed.Errors.Keys);
        var log = (await stranger.Owner.GetAsync("/api/audit-log?action=member.accepted")).Json.GetProperty("entries");
        Assert.NotEmpty(log.EnumerateArray());
        Assert.All(
            log.EnumerateArray(), entry => Assert.Equal($"user:{invited}", entry.GetProperty("actor").GetString()));
    }

    [Fact]
    public async Task Who_belonged_to_several_organizations_names_the_one_that_is_left()
    {
        using var kept = await NewTenantAsync();
        using var deleted = await NewTenantAsync();
        var subject = $"person-{Guid.NewGuid():n}";
        using var person = await kept.NewMemberAsync("viewer", subject);
        (await deleted.NewMemberAsync("viewer", subject)).Dispose();
        (await deleted.Owner.DeleteAsync($"/api/organizations/{deleted.Id}")).Expect(HttpStatusCode.NoContent);

        (await person.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.BadRequest);
        (await ActForAsync(person, kept)).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_invitation_can_be_declined()
    {
        using var tenant = await NewTenantAsync();
        var subject = $"person-{Guid.NewGuid():n}";
        using var person = running.App.NewClient(DevelopmentToken.Create(subject));
        var invited = await InviteAsync(tenant, subject, "owner");

        (await person.PostAsync($"/api/invitations/{invited}/decline")).Expect(HttpStatusCode.OK);

        (await person.PostAsync($"/api/invitations/{invited}/accept")).ExpectProblem(HttpStatusCode.NotFound);
        (await tenant.Owner.GetAsync($"/api/organizations/{tenant.Id}/members/{invited}")).ExpectProblem(
            HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_last_way_in_stays_and_the_platform_makes_another()
    {
        using var tenant = await NewTenantAsync();
        using var platform = running.App.NewClient(AppSettings.PlatformKey);
        var keys = $"/api/organizations/{tenant.Id}/api-keys";
        var first = (await tenant.Owner.GetAsync(keys)).Json.GetProperty("api_keys")[0].GetProperty("id").GetString();
        await InviteAsync(tenant, "not-accepted", "owner");
        (await tenant.Owner.PostAsync(
            keys, new { name = "soon gone", role = "owner", expires_at = DateTime.UtcNow.AddHours(1) }))
            .Expect(HttpStatusCode.Created);

        var refused = (await tenant.Owner.DeleteAsync($"{keys}/{first}")).ExpectProblem(HttpStatusCode.Conflict);
        var made = (await platform.PostAsync(keys, new { name = "another", role = "owner" }))
            .Expect(HttpStatusCode.Created).Json;
        (await platform.PostAsync($"/api/organizations/{Guid.NewGuid()}/api-keys", new { name = "x", role = "owner" }))
            .ExpectProblem(HttpStatusCode.NotFound);
        using var again = running.App.NewClient(made.GetProperty("key").GetString()!);
        (await again.DeleteAsync($"{keys}/{first}")).Expect(HttpStatusCode.NoContent);
        var log = (await again.GetAsync("/api/audit-log?action=api_key.created"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("entries");

        Assert.EndsWith("last-owner", refused.Type);
        Assert.Contains(log.EnumerateArray(), entry =>
            (entry.GetProperty("actor").GetString(), entry.GetProperty("target_id").GetString()) == (
                "platform", made.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task The_last_owner_is_neither_removed_nor_given_another_role()
    {
        using var tenant = await NewTenantAsync();
        using var owner = await tenant.NewMemberAsync("owner");
        var first = (await owner.GetAsync($"/api/organizations/{tenant.Id}/api-keys")).Json.GetProperty("api_keys")[0]
            .GetProperty("id").GetString();
        (await owner.DeleteAsync($"/api/organizations/{tenant.Id}/api-keys/{first}")).Expect(HttpStatusCode.NoContent);
        var self = $"/api/organizations/{tenant.Id}/members/{await OnlyMemberAsync(owner, tenant)}";

        (await owner.DeleteAsync(self)).ExpectProblem(HttpStatusCode.Conflict);
        (await owner.PatchAsync(self, new { role = "admin" })).ExpectProblem(HttpStatusCode.Conflict);
        (await owner.PatchAsync(self, new { role = "owner" })).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Keys_go_with_who_made_them()
    {
        using var tenant = await NewTenantAsync();
        using var admin = await tenant.NewMemberAsync("admin");
        var keys = $"/api/organizations/{tenant.Id}/api-keys";
        var made = (await admin.PostAsync(keys, new { name = "made", role = "admin" }))
            .Expect(HttpStatusCode.Created).Json;
        using var withMade = running.App.NewClient(made.GetProperty("key").GetString()!);
        var next = (await withMade.PostAsync(keys, new { name = "next", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json;
        using var withNext = running.App.NewClient(next.GetProperty("key").GetString()!);
        var member = $"/api/organizations/{tenant.Id}/members/{await OnlyMemberAsync(tenant.Owner, tenant)}";

        (await tenant.Owner.PatchAsync(member, new { role = "operator" })).Expect(HttpStatusCode.OK);
        (await withMade.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        (await withNext.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        var removed = (await tenant.Owner.DeleteAsync(member))
            .Expect(HttpStatusCode.OK).Json.GetProperty("revoked_api_keys");

        (await withNext.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        Assert.Equal(
            next.GetProperty("id").GetString(), Assert.Single(removed.EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_key_that_leaked_is_revoked_with_those_it_made()
    {
        using var tenant = await NewTenantAsync();
        var keys = $"/api/organizations/{tenant.Id}/api-keys";
        using var admin = await tenant.NewClientAsync("admin");
        var leaked = (await tenant.Owner.GetAsync(keys)).Json.GetProperty("api_keys")[0].GetProperty("id").GetString();
        var made = (await admin.PostAsync(keys, new { name = "made", role = "viewer" }))
            .Expect(HttpStatusCode.Created).Json;
        using var viewer = running.App.NewClient(made.GetProperty("key").GetString()!);

        var revoked = (await tenant.Owner.DeleteAsync($"{keys}/{leaked}?with_keys_it_made=true"))
            .Expect(HttpStatusCode.OK).Json;

        (await admin.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        (await viewer.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        Assert.Equal(1, revoked.GetProperty("revoked_api_keys").GetArrayLength());
    }

    [Fact]
    public async Task Nothing_of_a_deleted_organization_goes_on()
    {
        var calls = 0;
        await using var agent = await LoopbackServer.StartAsync(_ =>
        {
            Interlocked.Increment(ref calls);
            return Task.CompletedTask;
        });
        await using var receiver = await WebhookReceiver.StartAsync();
        using var tenant = await NewTenantAsync();
        using var stays = await NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var caller = (await tenant.Owner.PostAsync(
            "/api/agents", new { name = "caller", kind = "http", settings = new { url = agent.Url } }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        var soon = DateTime.UtcNow.AddSeconds(12); // long after the deletion, on a busy machine too
        await tenant.SubmitAsync(new { agent_id = caller, description = "later", scheduled_at = soon });
        (await tenant.Owner.PostAsync("/api/workflows", new
        {
            steps = new object[]
            {
                new { id = "wait", type = "delay", seconds = 12 },
                new { id = "call", type = "webhook", url = agent.Url },
            },
        })).Expect(HttpStatusCode.Created);
        (await tenant.Owner.PostAsync("/api/batches", new
        {
            name = "many",
            agent_id = slow,
            items = Enumerable.Range(0, 20).Select(_ => new { description = "one two" }),
        })).Expect(HttpStatusCode.Accepted);
        var busy = await tenant.SubmitAsync(new { agent_id = slow, description = "one two" });
        await tenant.WaitForAsync(busy, "in_progress");
        (await tenant.Owner.PostAsync(
            "/api/webhooks",
            new { url = receiver.Url, event_types = new[] { "task.cancelled", "workflow.*", "batch.*" } }))
            .Expect(HttpStatusCode.Created);
        var reading = ReadToItsEndAsync(tenant, busy);

        (await tenant.Owner.DeleteAsync($"/api/organizations/{tenant.Id}")).Expect(HttpStatusCode.NoContent);
        (await tenant.Owner.GetAsync("/api/tasks")).ExpectProblem(HttpStatusCode.Unauthorized);
        await reading;
        // One that stays has its turn after the time at which the other's was due.
        var after = await stays.SubmitAsync(
            new { agent_id = "echo", description = "after", scheduled_at = soon.AddSeconds(2) });
        await stays.WaitForAsync(after, "completed");

        Assert.Equal(0, calls);
        Assert.Empty(receiver.Received);
        Assert.Equal(0, await OpenAsync(tenant));
    }

    /// <summary>What of the tenant's work has not ended, by the database.</summary>
    private async Task<long> OpenAsync(TestTenant tenant)
    {
        await using var connection = new Npgsql.NpgsqlConnection(running.Postgres.AdminConnection);
        await connection.OpenAsync();
        await using var count = new Npgsql.NpgsqlCommand(
            """
            SELECT (SELECT count(*) FROM viral.tasks WHERE tenant_id = $1 AND completed_at IS NULL)
                + (SELECT count(*) FROM viral.workflows WHERE tenant_id = $1 AND completed_at IS NULL)
                + (SELECT count(*) FROM viral.batches WHERE tenant_id = $1 AND completed_at IS NULL)
            """,
            connection)
        {
            Parameters = { new() { Value = tenant.Id } },
        };
        return await Eventually.GetAsync(
            async () => (long)(await count.ExecuteScalarAsync())!, open => open == 0, "everything to end");
    }

    private static async Task ReadToItsEndAsync(TestTenant tenant, string task)
    {
        await foreach (var _ in tenant.Owner.StreamAsync($"/api/tasks/{task}/stream"))
        {
        }
    }

    private Task<TestTenant> NewTenantAsync() => TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);

    private static async Task<string> InviteAsync(TestTenant tenant, string subject, string role) =>
        (await tenant.Owner.PostAsync($"/api/organizations/{tenant.Id}/members", new { subject, role }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    private static async Task<string> OnlyMemberAsync(ApiClient client, TestTenant tenant)
    {
        JsonElement members = (await client.GetAsync($"/api/organizations/{tenant.Id}/members"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("members");
        return Assert.Single(members.EnumerateArray()).GetProperty("id").GetString()!;
    }

    private static Task<ApiResponse> ActForAsync(ApiClient person, TestTenant tenant)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/tasks");
        request.Headers.Add("X-Tenant-ID", tenant.Id.ToString());
        return person.SendAsync(request);
    }
}
