using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What users write is text on every page that shows it, and no other site shows a page in a frame.</summary>
public sealed class PageSafetyTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    private const string Beginning = "<img src=x onerror=";

    /// <summary>It escapes no more than JSON must, as a client may.</summary>
    private static readonly JsonSerializerOptions Bare =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task Script_in_every_field_is_shown_as_text()
    {
        using var tenant = await console.NewTenantAsync();
        await using var service = await RefusingServiceAsync();
        (await tenant.Owner.PatchAsync($"/api/organizations/{tenant.Id}", new { name = Visitor.Script }))
            .Expect(HttpStatusCode.OK);
        var (agent, task) = await FailedTaskAsync(tenant, service.Url);
        var webhook = await NewAsync(tenant, "/api/webhooks", new
        {
            url = "https://example.com/hook",
            description = Visitor.Script,
            event_types = new[] { "workflow.cancelled" },
        });
        var rule = await NewAsync(tenant, "/api/alert-rules", new { name = Visitor.Script, metric = "failures" });
        var gate = await DecidedGateAsync(tenant);
        var batch = (await tenant.Owner.PostAsync("/api/batches", new
        {
            name = Visitor.Script,
            description = Visitor.Script,
            agent_id = "echo",
            items = new[] { new { description = "x" } },
        })).Expect(HttpStatusCode.Accepted).Json.GetProperty("id").GetString();
        var workflow = await NewAsync(tenant, "/api/workflows", JsonSerializer.Serialize(new
        {
            name = "with input",
            input = new { words = Visitor.Script },
            steps = new[] { new { id = "one", type = "task", agent_id = "echo", description = "x" } },
        }, Bare));
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        foreach (var (address, places) in new (string, string[])[]
        {
            ("agents", ["tbody a.row", "tbody div.small"]),
            ($"agents/{agent}", ["main h1", "main > p:not(.crumb)"]),
            ($"tasks/{task}", ["#task-head h1", "#task-error .fault"]),
            ("webhooks", ["tbody div.small"]),
            ($"webhooks/{webhook}", ["main dl"]),
            ("alert-rules", ["tbody a.row"]),
            ($"alert-rules/{rule}", ["main h1"]),
            ("organization", ["main h1"]),
            ($"approvals/{gate}/ask", ["#gate-decisions blockquote"]),
            ("batches", ["tbody a.row"]),
            ($"batches/{batch}", ["#batch-head h1", "main pre.answer"]),
            ($"workflows/{workflow}", ["main pre.answer"]),
        })
        {
            await page.GotoAsync($"/console/{address}");
            foreach (var place in places)
                await Expect(page.Locator(place).First).ToContainTextAsync(Beginning);
            await HasNoneOfItsMarkupAsync(page);
        }

        await page.GotoAsync($"/console/agents/{agent}/edit");
        await Expect(page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync(Visitor.Script);
        await Expect(page.GetByLabel("Description")).ToHaveValueAsync(Visitor.Script);
        await HasNoneOfItsMarkupAsync(page);
        await page.GotoAsync($"/console/alert-rules/{rule}/edit");
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync(Visitor.Script);
        await HasNoneOfItsMarkupAsync(page);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Script_in_what_an_agent_says_and_in_a_file_is_shown_as_text()
    {
        using var tenant = await console.NewTenantAsync();
        (await tenant.Owner.PatchAsync($"/api/organizations/{tenant.Id}", new { name = Visitor.Script }))
            .Expect(HttpStatusCode.OK);
        await using var service = await RefusingServiceAsync();
        var refused = await tenant.NewHttpAsync(new { url = service.Url });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync("/console/agents/echo");
        await page.GetByLabel("Prompt").FillAsync(Visitor.Script);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send one call" }).ClickAsync();
        await Expect(page.Locator("#test-answer")).ToHaveTextAsync(Visitor.Script);
        await Expect(page.GetByLabel("Prompt")).ToHaveValueAsync(Visitor.Script);
        await HasNoneOfItsMarkupAsync(page);

        await page.GotoAsync("/console/batches/new");
        var cell = $"\"{Visitor.Script.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        await ChooseAsync(page, "items.csv", $"description,{cell}\n{cell},{cell}\n");
        await Expect(page.Locator("#batch-preview td:nth-child(2)")).ToContainTextAsync(Beginning);
        await Expect(page.Locator("#batch-preview p").First).ToHaveTextAsync($"Columns: description, {Visitor.Script}");
        await HasNoneOfItsMarkupAsync(page);
        await ChooseAsync(page, "items.csv", $"description,agent_id\nx,{cell}\n");
        await Expect(page.Locator("#batch-preview li")).ToContainTextAsync($"There is no agent '{Beginning}");
        await HasNoneOfItsMarkupAsync(page);
        await ChooseAsync(page, $"{Beginning}1>.txt", "x");
        await Expect(page.Locator("[data-upload-state]")).ToContainTextAsync($"{Beginning}1>.txt is not supported.");
        await HasNoneOfItsMarkupAsync(page);

        Assert.Empty(window.Complaints);
        await page.GotoAsync($"/console/agents/{refused}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send one call" }).ClickAsync();
        await Expect(page.Locator("#test .fault")).ToContainTextAsync(Beginning);
        await HasNoneOfItsMarkupAsync(page);
        // The page tells of the failure by its status, which the browser notes.
        Assert.DoesNotContain(window.Complaints, complaint => !complaint.Contains("502", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_sites_frame_stays_blank()
    {
        using var tenant = await console.NewTenantAsync();
        var frames = $"""
            <!doctype html>
            <title>Elsewhere</title>
            <iframe src="{console.App.Address}console/tasks"></iframe>
            <iframe src="{console.App.Address}api/docs"></iframe>
            <iframe src="/own"></iframe>
            """;
        await using var elsewhere = await LoopbackServer.StartAsync(http =>
        {
            http.Response.ContentType = "text/html";
            return http.Response.WriteAsync(http.Request.Path == "/own" ? "<p>a frame of its own</p>" : frames);
        });
        // At another port, but of the same site for cookies: what is framed is asked for with the session.
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync(elsewhere.Url);

        await Expect(page.FrameLocator("iframe[src='/own']").Locator("p")).ToHaveTextAsync("a frame of its own");
        // So Chromium calls what it shows in the place of a page.
        var shown = await Eventually.GetAsync(
            () => Task.FromResult(string.Join('\n', page.Frames.Select(frame => frame.Url))),
            urls => urls.Split("chrome-error://").Length == 3,
            "both frames to be refused");
        Assert.DoesNotContain($"{console.App.Address}", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_somebody_who_is_signed_in_may_not_be_framed()
    {
        using var tenant = await console.NewTenantAsync();
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(tenant.OwnerKey);

        foreach (var (address, status) in new[]
        {
            ("/console", HttpStatusCode.OK),
            ("/console/api-keys", HttpStatusCode.OK),
            ("/console/tasks/00000000-0000-0000-0000-000000000000", HttpStatusCode.NotFound),
            ("/console/tasks?status=unknown", HttpStatusCode.BadRequest),
            ("/api/docs", HttpStatusCode.OK),
        })
        {
            var answer = await visitor.GetAsync(address);

            Assert.Equal((address, status), (address, answer.StatusCode));
            Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
            var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe-", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        }
    }

    /// <summary>Nothing of the text has become elements, here or in the menu, and nothing has run.</summary>
    private static async Task HasNoneOfItsMarkupAsync(IPage page)
    {
        await Expect(page.Locator(".side strong")).ToHaveTextAsync(Visitor.Script);
        await Expect(page.Locator("body img, body script:not([src])")).ToHaveCountAsync(0);
        Assert.NotEqual("owned", await page.TitleAsync());
    }

    private static Task ChooseAsync(IPage page, string name, string text) => page.SetInputFilesAsync(
        "#file", new FilePayload { Name = name, MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(text) });

    /// <summary>A provider whose error is a script.</summary>
    private static Task<LoopbackServer> RefusingServiceAsync() => LoopbackServer.StartAsync(http =>
    {
        http.Response.StatusCode = StatusCodes.Status400BadRequest;
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(Visitor.Script);
    });

    private static async Task<(string Agent, string Task)> FailedTaskAsync(TestTenant tenant, string url)
    {
        var agent = await NewAsync(tenant, "/api/agents", new
        {
            name = Visitor.Script,
            description = Visitor.Script,
            kind = "http",
            settings = new { url },
        });
        var task = await tenant.SubmitAsync(new { agent_id = agent, description = Visitor.Script, max_attempts = 1 });
        await tenant.WaitForAsync(task, "failed");
        return (agent, task);
    }

    private static async Task<string> DecidedGateAsync(TestTenant tenant)
    {
        using var operators = await tenant.NewClientAsync("operator");
        var workflow = await WorkflowWithGate.StartAsync(operators, "Go on?");
        (await tenant.Owner.PostAsync(
            $"/api/workflows/{workflow}/gates/ask/decisions", new { decision = "approve", reason = Visitor.Script }))
            .Expect(HttpStatusCode.OK);
        return workflow;
    }

    private static async Task<string> NewAsync(TestTenant tenant, string address, object body) =>
        (await tenant.Owner.PostAsync(address, body))
        .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
}
