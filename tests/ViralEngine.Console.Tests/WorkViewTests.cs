using System.Net;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>The views of batches, workflows, agents and webhooks, once each.</summary>
public sealed class WorkViewTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Theory]
    [InlineData("/console/batches", "batches-empty")]
    [InlineData("/console/batches/new", "batch-new")]
    [InlineData("/console/workflows", "workflows-empty")]
    [InlineData("/console/workflow-templates", "templates-empty")]
    [InlineData("/console/agents", "agents-empty")]
    [InlineData("/console/webhooks", "webhooks-empty")]
    [InlineData("/console/webhooks/new", "webhook-new")]
    public async Task Views_of_an_organization_that_has_nothing_yet(string address, string name)
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync(address, name);
    }

    [Fact]
    public async Task Batches()
    {
        using var tenant = await console.NewTenantAsync();
        var bad = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var worse = await tenant.NewEchoAsync(new { fail_with = "unauthorized" });
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var items = Enumerable.Range(1, 60).Select(number =>
            $$"""{"agent_id":"{{(number % 10 == 0 ? bad : number % 15 == 0 ? worse : "echo")}}","description":"""
            + $"\"Ticket {number}\"}}");
        var ended = await BatchTests.SubmitAsync(tenant, string.Join('\n', items), "Tickets of October");
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.GetAsync($"/api/batches/{ended}")).Json.GetProperty("status")
                .GetString() == "completed", "its end");
        var mixed = Enumerable.Range(1, 40).Select(
            number => $$"""{"agent_id":"{{(number > 25 ? slow : "echo")}}","description":"{{number}}"}""");
        var runs = await BatchTests.SubmitAsync(tenant, string.Join('\n', mixed), "A name " + new string('w', 150));
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        await window.Page.GotoAsync($"/console/batches/{runs}");
        await Expect(window.Page.Locator("#batch-head .status")).ToHaveTextAsync("in progress");

        await window.LooksRightAsync("/console/batches", "batches");
        await window.LooksRightAsync($"/console/batches/{ended}", "batch");
        await window.LooksRightAsync($"/console/batches/{runs}", "batch-running");
    }

    [Fact]
    public async Task Workflows_and_templates()
    {
        using var tenant = await console.NewTenantAsync();
        var template = await WorkflowTests.NewTemplateAsync(tenant);
        var workflow = await WorkflowTests.StartBranchedAsync(tenant);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        await window.Page.GotoAsync($"/console/workflows/{workflow}");
        await Expect(window.Page.Locator("#workflow-head .status")).ToHaveTextAsync("waiting");

        await window.LooksRightAsync("/console/workflows", "workflows");
        await window.LooksRightAsync($"/console/workflows/{workflow}", "workflow");
        await window.LooksRightAsync("/console/workflow-templates", "templates");
        await window.LooksRightAsync($"/console/workflow-templates/{template}", "template");
    }

    [Fact]
    public async Task Agents()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = (await tenant.Owner.PostAsync("/api/agents", new
        {
            name = "writer",
            description = "Writes what customers read.",
            kind = "openai",
            api_key = "sk-0123456789abcdef",
            settings = new { base_url = "https://api.example.com/v1", model = "large-1", requests_per_minute = 600 },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync("/console/agents", "agents");
        await window.LooksRightAsync($"/console/agents/{agent}", "agent");
        await window.LooksRightAsync("/console/agents/new", "agent-new");
        await window.LooksRightAsync($"/console/agents/{agent}/edit", "agent-edit");
    }

    [Fact]
    public async Task Webhooks()
    {
        using var tenant = await console.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync(503);
        var webhook = await WebhookTests.NewEndpointAsync(tenant, receiver.Url + "?" + new string('w', 200));
        var delivery = (await tenant.Owner.PostAsync($"/api/webhooks/{webhook}/test"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("id").GetString()!;
        receiver.AnswerWith(200);
        (await tenant.Owner.PostAsync($"/api/webhooks/{webhook}/test")).Expect(HttpStatusCode.OK);
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync("/console/webhooks", "webhooks");
        await window.LooksRightAsync($"/console/webhooks/{webhook}", "webhook");
        await window.LooksRightAsync($"/console/webhooks/{webhook}/deliveries/{delivery}", "delivery");
    }
}
