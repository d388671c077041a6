using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>
/// Actions of whoever may not do them: another organization, too low a role, nobody. Nothing changes by them.
/// </summary>
public sealed class RefusalTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    /// <summary>What any of the forms asks for: each takes what it knows.</summary>
    private static readonly (string Name, string Value)[] Fields =
    [
        ("decision", "approve"), ("role", "viewer"), ("since", "2020-01-01T00:00"), ("name", "x"), ("kind", "echo"),
        ("description", "x"), ("agent_id", "echo"), ("subject", "x"), ("url", "https://example.com/"),
        ("monthly_usd", "1"), ("metric", "failures"),
    ];

    [Fact]
    public async Task Another_organizations_things_are_not_there_to_act_on()
    {
        await using var receiver = await WebhookReceiver.StartAsync(503);
        using var mine = await console.NewTenantAsync();
        using var other = await console.NewTenantAsync();
        var theirs = await Things.AddAsync(other, receiver.Url);
        using var visitor = await SignInAsync(mine.OwnerKey);
        var token = await TokenOfAsync(visitor);
        var before = await theirs.StateAsync(other);

        foreach (var address in new[]
        {
            theirs.Gate, theirs.Sent, $"/console/agents/{theirs.Agent}/edit", $"/console/tasks/{theirs.Failed}",
        })
        {
            await IsNotThereAsync(await visitor.GetAsync(address));
        }

        foreach (var address in new[]
        {
            $"{theirs.Gate}/decide", $"{theirs.Sent}/redeliver", $"/console/webhooks/{theirs.Off}/enable",
            $"/console/webhooks/{theirs.Webhook}/disable", $"/console/webhooks/{theirs.Webhook}/delete",
            $"/console/agents/{theirs.Agent}/edit", $"/console/agents/{theirs.Agent}/delete",
            $"/console/tasks/{theirs.Failed}/retry", $"/console/tasks/{theirs.Later}/cancel",
        })
        {
            await IsNotThereAsync(await visitor.PostAsync(address, token, Fields));
        }

        Assert.Equal(before, await theirs.StateAsync(other));
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task A_viewer_does_nothing_of_an_operators_and_an_operator_nothing_of_an_admins()
    {
        await using var receiver = await WebhookReceiver.StartAsync(503);
        using var tenant = await console.NewTenantAsync();
        var things = await Things.AddAsync(tenant, receiver.Url);
        using var viewer = await SignInAsync(await tenant.NewKeyAsync("viewer"));
        using var operators = await SignInAsync(await tenant.NewKeyAsync("operator"));
        var (viewers, theirs) = (await TokenOfAsync(viewer), await TokenOfAsync(operators));
        var before = await things.StateAsync(tenant);
        string[] ofOperators =
        [
            $"/console/tasks/{things.Later}/cancel", $"/console/tasks/{things.Failed}/retry",
            $"{things.Sent}/redeliver", $"/console/webhooks/{things.Webhook}/recover",
        ];
        string[] ofAdmins =
        [
            $"/console/webhooks/{things.Off}/enable", $"/console/webhooks/{things.Webhook}/disable",
            $"/console/members/{things.Member}/role", $"/console/members/{things.Member}/remove",
            $"/console/api-keys/{things.Key}/revoke",
        ];

        await IsForbiddenAsync(await viewer.GetAsync(things.Sent));
        foreach (var address in ofOperators.Concat(ofAdmins))
            await IsForbiddenAsync(await viewer.PostAsync(address, viewers, Fields));
        foreach (var address in ofAdmins)
            await IsForbiddenAsync(await operators.PostAsync(address, theirs, Fields));

        Assert.Equal(before, await things.StateAsync(tenant));
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task An_admin_neither_changes_nor_removes_an_owner_and_makes_none()
    {
        using var tenant = await console.NewTenantAsync();
        using var owner = await tenant.NewMemberAsync("owner");
        using var viewer = await tenant.NewMemberAsync("viewer");
        var organization = $"/api/organizations/{tenant.Id}";
        var members = (await tenant.Owner.ListAsync($"{organization}/members", "members"))
            .ToDictionary(each => each.GetProperty("role").GetString()!, each => each.GetProperty("id").GetString());
        var key = (await tenant.Owner.ListAsync($"{organization}/api-keys", "api_keys"))
            .Single(each => each.GetProperty("role").GetString() == "owner").GetProperty("id").GetString();
        using var visitor = await SignInAsync(await tenant.NewKeyAsync("admin"));
        var token = await TokenOfAsync(visitor);

        foreach (var (address, role) in new[]
        {
            ($"/console/members/{members["owner"]}/role", "viewer"),
            ($"/console/members/{members["owner"]}/role", "owner"),
            ($"/console/members/{members["owner"]}/remove", ""),
            ($"/console/members/{members["viewer"]}/role", "owner"),
            ($"/console/api-keys/{key}/revoke", ""),
        })
        {
            await IsForbiddenAsync(await visitor.PostAsync(address, token, ("role", role)));
        }

        var after = await tenant.Owner.ListAsync($"{organization}/members", "members");
        Assert.Equal(
            members.Select(each => (each.Value, each.Key)).Order(),
            after.Select(each => (each.GetProperty("id").GetString(), each.GetProperty("role").GetString()!)).Order());
        // What it may do works in the same way.
        var changed = await visitor.PostAsync(
            $"/console/members/{members["viewer"]}/role", token, ("role", "operator"));
        Assert.Equal(HttpStatusCode.SeeOther, changed.StatusCode);
    }

    [Fact]
    public async Task Forms_without_a_session_lead_to_sign_in_and_change_nothing()
    {
        await using var receiver = await WebhookReceiver.StartAsync(503);
        using var tenant = await console.NewTenantAsync();
        var things = await Things.AddAsync(tenant, receiver.Url);
        using var signedIn = await SignInAsync(tenant.OwnerKey);
        var token = await TokenOfAsync(signedIn);
        using var nobody = new Visitor(console.App.Address);
        using var forger = new Visitor(console.App.Address);
        foreach (Cookie cookie in signedIn.Cookies.GetAllCookies())
            forger.Cookies.Add(new Cookie(cookie.Name, cookie.Value[..^8] + "AAAAAAAA", cookie.Path, cookie.Domain));
        var before = await things.StateAsync(tenant);

        foreach (var address in new[]
        {
            "/console/tasks/new", $"/console/tasks/{things.Later}/cancel", $"/console/tasks/{things.Failed}/retry",
            $"{things.Gate}/decide", "/console/agents/new", $"/console/agents/{things.Agent}/delete",
            "/console/webhooks/new", $"/console/webhooks/{things.Webhook}/delete", $"{things.Sent}/redeliver",
            "/console/members", $"/console/members/{things.Member}/remove", "/console/api-keys",
            $"/console/api-keys/{things.Key}/revoke", "/console/organization/budget", "/console/alert-rules/new",
            "/console/sign-out/everywhere",
        })
        {
            IsLedToSignIn(await nobody.PostAsync(address, token, Fields));
            IsLedToSignIn(await forger.PostAsync(address, token, Fields));
        }

        foreach (var visitor in new[] { nobody, forger })
        {
            IsLedToSignIn(await visitor.SendFileAsync(
                "/console/batches/new?name=x&agent_id=echo", token, "text/csv", "description\nHello\n"));
        }

        Assert.Equal(before, await things.StateAsync(tenant));
        Assert.Single(receiver.Received);
        // The one whose cookie was forged is still there.
        Assert.Equal(HttpStatusCode.OK, (await signedIn.GetAsync("/console")).StatusCode);
    }

    private async Task<Visitor> SignInAsync(string credential)
    {
        var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(credential);
        return visitor;
    }

    private static async Task<string> TokenOfAsync(Visitor visitor) =>
        (await visitor.FormAsync("/console", "/console/sign-out")).Token;

    private static Task IsNotThereAsync(HttpResponseMessage answer) => IsPageAsync(answer, HttpStatusCode.NotFound);

    private static Task IsForbiddenAsync(HttpResponseMessage answer) => IsPageAsync(answer, HttpStatusCode.Forbidden);

    private static async Task IsPageAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var html = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.RequestMessage} was answered {answer.StatusCode}:\n{html}");
        Assert.Contains($"<p class=\"code\">{(int)status}</p>", html, StringComparison.Ordinal);
        Assert.DoesNotContain(Things.Words, html, StringComparison.Ordinal);
    }

    private static void IsLedToSignIn(HttpResponseMessage answer) => Assert.Equal(
        (HttpStatusCode.SeeOther, "/console/sign-in"), (answer.StatusCode, answer.Headers.Location?.OriginalString));

    /// <summary>One thing of each kind that forms act on. None of them changes by itself.</summary>
    private sealed record Things(
        string Workflow, string Failed, string Later, string Agent, string Webhook, string Off, string Delivery,
        string Member, string Key)
    {
        public const string Words = "secret words";

        /// <summary>The page of a gate that is open.</summary>
        public string Gate => $"/console/approvals/{Workflow}/ask";

        /// <summary>The page of a delivery that has failed.</summary>
        public string Sent => $"/console/webhooks/{Webhook}/deliveries/{Delivery}";

        /// <param name="receiver">Where the endpoint is: it is sent one message, and refuses it.</param>
        public static async Task<Things> AddAsync(TestTenant tenant, string receiver)
        {
            var agent = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
            var failed = await tenant.SubmitAsync(new { agent_id = agent, description = Words });
            var later = await tenant.SubmitAsync(
                new { agent_id = "echo", description = Words, scheduled_at = DateTime.UtcNow.AddHours(1) });
            using var operators = await tenant.NewClientAsync("operator");
            var workflow = await WorkflowWithGate.StartAsync(operators, Words);
            var webhook = await WebhookTests.NewEndpointAsync(tenant, receiver);
            var off = await NewAsync(tenant, "/api/webhooks", new { url = receiver, enabled = false });
            var delivery = (await tenant.Owner.PostAsync($"/api/webhooks/{webhook}/test"))
                .Expect(HttpStatusCode.OK).Json.GetProperty("id").GetString()!;
            var organization = $"/api/organizations/{tenant.Id}";
            var member = await NewAsync(tenant, $"{organization}/members", new { subject = Words, role = "approver" });
            var key = await NewAsync(tenant, $"{organization}/api-keys", new { name = Words, role = "viewer" });
            await tenant.WaitForAsync(failed, "failed");
            return new Things(workflow, failed, later, agent, webhook, off, delivery, member, key);
        }

        /// <summary>What the owner reads of all that there is, and of who did what.</summary>
        public async Task<string> StateAsync(TestTenant tenant)
        {
            var organization = $"/api/organizations/{tenant.Id}";
            var state = new List<string>();
            foreach (var address in new[]
            {
                $"/api/workflows/{Workflow}/gates/ask", "/api/tasks", "/api/batches", "/api/agents", "/api/webhooks",
                $"/api/webhooks/{Webhook}/deliveries/{Delivery}", "/api/alert-rules", $"{organization}/members",
                "/api/audit-log",
            })
            {
                state.Add((await tenant.Owner.GetAsync(address)).Expect(HttpStatusCode.OK).Text);
            }

            // When a key was last used does change.
            foreach (var key in await tenant.Owner.ListAsync($"{organization}/api-keys", "api_keys"))
                state.Add($"{key.GetProperty("id")} {key.GetProperty("role")} {key.GetProperty("revoked_at")}");
            return string.Join('\n', state);
        }

        private static async Task<string> NewAsync(TestTenant tenant, string address, object body) =>
            (await tenant.Owner.PostAsync(address, body))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
    }
}
