using System.Net;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>Workflows as a picture that is live, and the forms of templates.</summary>
public sealed class WorkflowTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task A_templates_form_starts_a_workflow_whose_picture_follows_its_gate()
    {
        using var tenant = await console.NewTenantAsync();
        var template = await NewTemplateAsync(tenant);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/workflow-templates");
        await page.GetByRole(AriaRole.Link, new() { Name = "Greet" }).ClickAsync();
        await page.GetByLabel("more").FillAsync("[1]");
        await page.GetByLabel("who").FillAsync("Ada");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(page.Locator("[id='parameters.more-about']")).ToHaveTextAsync("Must be an object.");
        await Expect(page.GetByLabel("who")).ToHaveValueAsync("Ada");

        await page.GetByLabel("more").FillAsync("{}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The workflow was started.");
        await Expect(page.Locator(".graph .node.waiting")).ToContainTextAsync("Say hello?");
        var workflow = page.Url.Split('/')[^1].Split('?')[0];
        (await tenant.Owner.PostAsync($"/api/workflows/{workflow}/gates/ask/decisions", new { decision = "approve" }))
            .Expect(HttpStatusCode.OK);

        await Expect(page.Locator("#workflow-head .status")).ToHaveTextAsync("completed");
        await Expect(page.Locator("#workflow-steps")).ToContainTextAsync("Hello Ada");
        await Expect(page.Locator(".graph a[href^='/console/tasks/']")).ToHaveCountAsync(1);
        await page.Locator(".graph a[href^='/console/approvals/']").ClickAsync();
        await Expect(page.Locator("#gate-head .status")).ToHaveTextAsync("approved");
        Assert.Equal(
            template,
            (await tenant.Owner.GetAsync($"/api/workflows/{workflow}")).Json.GetProperty("template_id").GetString());
    }

    [Fact]
    public async Task A_failed_workflow_runs_again_from_a_step()
    {
        using var tenant = await console.NewTenantAsync();
        var once = await tenant.NewEchoAsync(new { fail_with = "invalid_request", fail_first_attempts = 1 });
        var workflow = (await tenant.Owner.PostAsync("/api/workflows", new
        {
            name = "two steps",
            steps = new object[]
            {
                new { id = "first", type = "task", agent_id = "echo", description = "one" },
                new { id = "second", type = "task", agent_id = once, description = "two" },
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/workflows/{workflow}");
        await Expect(page.Locator("#workflow-head .status")).ToHaveTextAsync("failed");

        await page.GetByRole(AriaRole.Button, new() { Name = "Retry from first" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The workflow is running again from that step.");
        await Expect(page.Locator("#workflow-facts")).ToContainTextAsync("Run2");
        var audited = await tenant.Owner.ListAsync("/api/audit-log", "entries");
        Assert.Contains(audited, entry => entry.GetProperty("action").GetString() == "workflow.retried"
            && entry.GetProperty("target_id").GetString() == workflow);
    }

    internal static async Task<string> NewTemplateAsync(TestTenant tenant) =>
        (await tenant.Owner.PostAsync("/api/workflow-templates", new
        {
            name = "Greet",
            description = "Says hello to somebody, once somebody else agrees.",
            parameters = new object[]
            {
                new { name = "who", type = "string", required = true, description = "Whom to greet." },
                new { name = "how_often", type = "integer", min = 1, max = 3, @default = 1 },
                new { name = "tone", type = "enum", values = new[] { "kind", "short" }, @default = "kind" },
                new { name = "loud", type = "boolean" },
                new { name = "more", type = "object" },
            },
            steps = new object[]
            {
                new
                {
                    id = "ask", type = "approval", title = "Say hello?", name = "Say hello?",
                    approvers = new { roles = new[] { "owner" } }, timeout_seconds = 3600
                },
                new { id = "greet", type = "task", agent_id = "echo", description = "Hello {{ input.who }}" },
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    /// <summary>One with branches, a choice and a gate that waits.</summary>
    internal static async Task<string> StartBranchedAsync(TestTenant tenant)
    {
        static object Task(string id, string words) =>
            new { id, type = "task", agent_id = "echo", description = words };
        return (await tenant.Owner.PostAsync("/api/workflows", new
        {
            name = "Quarterly report",
            input = new { quarter = 3 },
            steps = new object[]
            {
                Task("collect", "Collect the figures of the quarter"),
                new
                {
                    id = "research", type = "parallel", branches = new object[]
                    {
                        new
                        {
                            name = "markets",
                            steps = new[] { Task("markets", "Markets"), Task("rivals", "Rivals") }
                        },
                        new { name = "costs", steps = new[] { Task("costs", "Costs") } },
                        new { name = "people", steps = new[] { Task("people", "People") } },
                    },
                },
                new
                {
                    id = "sign_off", type = "approval", title = "Publish the report?",
                    approvers = new { roles = new[] { "owner" } }, timeout_seconds = 3600
                },
                Task("publish", "Publish it"),
            },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
    }
}
