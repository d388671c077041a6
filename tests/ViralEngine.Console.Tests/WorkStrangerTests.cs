using System.Net;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What the views of batches, workflows, agents and webhooks refuse, and what they show as text.</summary>
public sealed class WorkStrangerTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Theory]
    [InlineData("batches")]
    [InlineData("batches/new")]
    [InlineData("batches/00000000-0000-0000-0000-000000000000")]
    [InlineData("batches/00000000-0000-0000-0000-000000000000/results")]
    [InlineData("workflows")]
    [InlineData("workflows/00000000-0000-0000-0000-000000000000")]
    [InlineData("workflow-templates")]
    [InlineData("workflow-templates/public")]
    [InlineData("workflow-templates/00000000-0000-0000-0000-000000000000")]
    [InlineData("agents")]
    [InlineData("agents/echo")]
    [InlineData("agents/new")]
    [InlineData("agents/00000000-0000-0000-0000-000000000000/edit")]
    [InlineData("webhooks")]
    [InlineData("webhooks/new")]
    [InlineData("webhooks/00000000-0000-0000-0000-000000000000")]
    [InlineData("webhooks/00000000-0000-0000-0000-000000000000/deliveries/00000000-0000-0000-0000-000000000000")]
    public async Task Shows_nothing_without_a_session(string address)
    {
        using var visitor = new Visitor(console.App.Address);

        await visitor.IsLedToSignInAsync($"/console/{address}");
    }

    [Fact]
    public async Task Another_organizations_work_is_not_there()
    {
        using var mine = await console.NewTenantAsync();
        using var other = await console.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var batch = await BatchTests.SubmitAsync(other, """{"agent_id":"echo","description":"secret words"}""");
        var template = await WorkflowTests.NewTemplateAsync(other);
        var workflow = await WorkflowTests.StartBranchedAsync(other);
        var agent = await other.NewEchoAsync(new { });
        // Over before the endpoint is there: what it receives is a stranger's doing.
        await Eventually.GetAsync(
            () => other.Owner.GetAsync($"/api/batches/{batch}"),
            seen => seen.Json.GetProperty("status").GetString() == "completed", "the batch");
        await Eventually.GetAsync(
            () => other.Owner.GetAsync($"/api/workflows/{workflow}"),
            seen => seen.Json.GetProperty("status").GetString() == "waiting", "the gate");
        var webhook = await WebhookTests.NewEndpointAsync(other, receiver.Url);
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(mine.OwnerKey);
        var (_, token) = await visitor.FormAsync("/console", "/console/sign-out");

        foreach (var answer in new[]
        {
            await visitor.GetAsync($"/console/batches/{batch}"),
            await visitor.GetAsync($"/console/batches/{batch}/results?format=csv"),
            await visitor.GetAsync($"/api/batches/{batch}/stream"),
            await visitor.PostAsync($"/console/batches/{batch}/cancel", token),
            await visitor.PostAsync($"/console/batches/{batch}/retry-failed", token),
            await visitor.GetAsync($"/console/workflows/{workflow}"),
            await visitor.PostAsync($"/console/workflows/{workflow}/cancel", token),
            await visitor.PostAsync($"/console/workflows/{workflow}/retry-from-step/collect", token),
            await visitor.GetAsync($"/console/workflow-templates/{template}"),
            await visitor.PostAsync($"/console/workflow-templates/{template}/start", token, ("parameters.who", "me")),
            await visitor.GetAsync($"/console/agents/{agent}"),
            await visitor.PostAsync($"/console/agents/{agent}/test", token),
            await visitor.GetAsync($"/console/webhooks/{webhook}"),
            await visitor.PostAsync($"/console/webhooks/{webhook}/test", token),
            await visitor.PostAsync($"/console/webhooks/{webhook}/rotate-secret", token),
            await visitor.PostAsync($"/console/webhooks/{webhook}/disable", token),
            await visitor.PostAsync($"/console/webhooks/{webhook}/recover", token, ("since", "2020-01-01T00:00")),
        })
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.DoesNotContain("secret words", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_viewer_looks_and_does_nothing()
    {
        using var tenant = await console.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var batch = await BatchTests.SubmitAsync(tenant, """{"agent_id":"echo","description":"x"}""");
        // Its end is told to nobody: the endpoint is made after it.
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.GetAsync($"/api/batches/{batch}")).Json.GetProperty("status")
                .GetString() == "completed", "the batch to end");
        var template = await WorkflowTests.NewTemplateAsync(tenant);
        var workflow = await WorkflowTests.StartBranchedAsync(tenant);
        var webhook = await WebhookTests.NewEndpointAsync(tenant, receiver.Url);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 1 });
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var (_, token) = await visitor.FormAsync("/console", "/console/sign-out");
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync($"/console/batches/{batch}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync($"/console/workflows/{workflow}")).StatusCode);

        foreach (var answer in new[]
        {
            await visitor.GetAsync("/console/batches/new"),
            await visitor.PostAsync("/console/batches/preview", token),
            await visitor.PostAsync("/console/batches/new?name=x", token),
            await visitor.PostAsync($"/console/batches/{batch}/cancel", token),
            await visitor.PostAsync($"/console/batches/{batch}/retry-failed", token),
            await visitor.PostAsync($"/console/workflows/{workflow}/cancel", token),
            await visitor.PostAsync($"/console/workflows/{workflow}/retry-from-step/collect", token),
            await visitor.PostAsync($"/console/workflow-templates/{template}/start", token, ("parameters.who", "me")),
            await visitor.PostAsync("/console/agents/echo/test", token),
            await visitor.GetAsync("/console/agents/new"),
            await visitor.PostAsync("/console/agents/new", token, ("name", "mine"), ("kind", "echo")),
            await visitor.PostAsync($"/console/agents/{agent}/edit", token, ("name", "mine"), ("kind", "echo")),
            await visitor.PostAsync($"/console/agents/{agent}/delete", token),
            await visitor.PostAsync($"/console/webhooks/{webhook}/delete", token),
            await visitor.GetAsync("/console/webhooks"),
            await visitor.GetAsync("/console/webhooks/new"),
            await visitor.PostAsync("/console/webhooks/new", token, ("url", receiver.Url)),
            await visitor.GetAsync($"/console/webhooks/{webhook}"),
            await visitor.PostAsync($"/console/webhooks/{webhook}/test", token),
            await visitor.PostAsync($"/console/webhooks/{webhook}/rotate-secret", token),
        })
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_file_is_taken_only_with_the_sessions_token()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(tenant.OwnerKey);

        foreach (var token in new[] { null, "", "of another session" })
        {
            var answer = await visitor.SendFileAsync(
                "/console/batches/new?name=x&agent_id=echo", token, "text/csv", "description\nHello\n");
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.Forbidden, HttpStatusCode.BadRequest });
        }

        Assert.Empty(await tenant.Owner.ListAsync("/api/batches", "batches"));
    }

    [Fact]
    public async Task Script_in_what_users_write_is_shown_as_text()
    {
        using var tenant = await console.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = async (http, _) =>
        {
            http.Response.StatusCode = 400;
            http.Response.Headers["X-Note"] = Visitor.Script;
            await Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(http.Response, Visitor.Script);
        };
        var failing = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var item = System.Text.Json.JsonSerializer.Serialize(
            new { id = Visitor.Script, agent_id = failing, description = Visitor.Script });
        var batch = await BatchTests.SubmitAsync(tenant, item, Visitor.Script);
        var workflow = (await tenant.Owner.PostAsync("/api/workflows", new
        {
            name = Visitor.Script,
            steps = new object[]
            {
                new
                {
                    id = "one", name = Visitor.Script, type = "task", agent_id = failing,
                    description = Visitor.Script
                },
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        var template = (await tenant.Owner.PostAsync("/api/workflow-templates", new
        {
            name = Visitor.Script,
            description = Visitor.Script,
            parameters = new object[]
            {
                new { name = "a", type = "string", description = Visitor.Script, @default = Visitor.Script },
            },
            steps = new object[] { new { id = "one", type = "task", agent_id = "echo", description = Visitor.Script } },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        var webhook = await WebhookTests.NewEndpointAsync(tenant, receiver.Url);
        var delivery = (await tenant.Owner.PostAsync($"/api/webhooks/{webhook}/test"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("id").GetString()!;
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/batches/{batch}");
        await Expect(page.Locator("#batch-failures")).ToContainTextAsync("<img src=x");
        await page.GotoAsync($"/console/workflows/{workflow}");
        await Expect(page.Locator("#workflow-head .status")).ToHaveTextAsync("failed");

        string[] views =
        [
            "/console/batches", $"/console/batches/{batch}", "/console/workflows", $"/console/workflows/{workflow}",
            "/console/workflow-templates", $"/console/workflow-templates/{template}", $"/console/webhooks/{webhook}",
            $"/console/webhooks/{webhook}/deliveries/{delivery}",
        ];
        foreach (var address in views)
        {
            await page.GotoAsync(address);
            await Expect(page.Locator("main img, main script, main b")).ToHaveCountAsync(0);
            Assert.NotEqual("owned", await page.TitleAsync());
        }

        await Expect(page.Locator("main")).ToContainTextAsync("<script>");
        Assert.Empty(window.Complaints);
    }
}
