using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>
/// What pages are for whoever uses them: at any instance, without scripts, in their zone and theme, by keyboard.
/// </summary>
public sealed partial class UseTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task A_page_at_one_instance_shows_what_was_decided_at_another()
    {
        await using var another = await console.StartAnotherAsync();
        using var tenant = await console.NewTenantAsync();
        var gate = await GateAsync(tenant, "Go on?");
        await using var waiting = await console.SignInAsync(await tenant.NewKeyAsync("viewer"));
        await using var deciding = await console.SignInAsync(await tenant.NewKeyAsync("approver"), another.Address);
        await waiting.Page.GotoAsync(gate);
        await Expect(waiting.Page.Locator("#gate-head .status")).ToHaveTextAsync("open");
        await deciding.Page.GotoAsync(gate);
        Assert.Equal(another.Port, new Uri(deciding.Page.Url).Port);

        await deciding.Page.GetByLabel("Reason (optional)").FillAsync("From over there.");
        await deciding.Page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();

        await Expect(deciding.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your approval was recorded.");
        await Expect(waiting.Page.Locator("#gate-head .status")).ToHaveTextAsync("approved");
        await Expect(waiting.Page.Locator("#gate-decisions")).ToContainTextAsync("From over there.");
        Assert.Empty(waiting.Complaints.Concat(deciding.Complaints));
    }

    [Fact]
    public async Task Without_scripts_pages_are_read_and_a_gate_is_decided()
    {
        using var tenant = await console.NewTenantAsync();
        var task = await tenant.SubmitAsync(new { agent_id = "echo", description = "Say this back." });
        await tenant.WaitForAsync(task, "completed");
        var gate = await GateAsync(tenant, "Publish it?");
        await using var window = await console.NewWindowAsync(new() { JavaScriptEnabled = false });
        var page = window.Page;
        await SignInAsync(page, tenant.OwnerKey);

        await page.GotoAsync("/console/tasks");
        await page.GetByRole(AriaRole.Link, new() { Name = "Say this back." }).ClickAsync();
        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("completed");
        await Expect(page.Locator("#answer")).ToHaveTextAsync("Say this back.");
        await Expect(page.Locator("#task-facts time").First).ToHaveTextAsync(WithoutScripts());

        await page.GotoAsync("/console/approvals");
        await page.GetByRole(AriaRole.Link, new() { Name = "Publish it?" }).ClickAsync();
        await page.GetByLabel("Reason (optional)").FillAsync("Without scripts.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your approval was recorded.");
        await Expect(page.Locator("#gate-head .status")).ToHaveTextAsync("approved");
        await Expect(page.Locator("#gate-decisions")).ToContainTextAsync("Without scripts.");
        await Expect(page).ToHaveURLAsync(new Regex(Regex.Escape(gate)));
    }

    [Fact]
    public async Task Times_are_those_of_the_viewers_zone_at_first_and_after_a_change()
    {
        using var tenant = await console.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 500 });
        var task = await tenant.SubmitAsync(new { agent_id = slow, description = "one two three four" });
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        await page.GotoAsync($"/console/tasks/{task}");
        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("completed");
        var seen = (await tenant.Owner.GetAsync($"/api/tasks/{task}")).Expect(HttpStatusCode.OK).Json;
        var created = InKolkata(seen.GetProperty("created_at"));
        await Expect(page.Locator("#task-facts time")).ToHaveTextAsync(new[]
        {
            created, InKolkata(seen.GetProperty("started_at")), InKolkata(seen.GetProperty("completed_at")),
        });
        await page.GotoAsync("/console/tasks");
        await Expect(page.Locator("tbody time")).ToHaveTextAsync(created);
    }

    [Fact]
    public async Task A_chosen_theme_stays_and_auto_is_the_systems()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await page.GotoAsync("/console/tasks?status=failed");
        var grounds = new Dictionary<string, string>();

        foreach (var (name, theme) in new[] { ("Dark", "dark"), ("Light", "light") })
        {
            await page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).ClickAsync();
            await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", theme);
            await page.ReloadAsync();
            await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", theme);
            await Expect(page.GetByRole(AriaRole.Button, new() { Pressed = true })).ToHaveTextAsync(name);
            grounds[theme] = await GroundOfAsync(page);
        }

        // The button leads back to where it was pressed.
        await Expect(page).ToHaveURLAsync(new Regex(@"/console/tasks\?status=failed$"));
        Assert.NotEqual(grounds["light"], grounds["dark"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Auto", Exact = true }).ClickAsync();
        await Expect(page.Locator("html:not([data-theme])")).ToHaveCountAsync(1);
        await page.ReloadAsync();
        await Expect(page.Locator("html:not([data-theme])")).ToHaveCountAsync(1);
        Assert.Equal(grounds["light"], await GroundOfAsync(page));
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.Equal(grounds["dark"], await GroundOfAsync(page));
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_key_that_is_shown_once_is_copied()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.NewWindowAsync(
            new() { Permissions = ["clipboard-read", "clipboard-write"] });
        var page = window.Page;
        await SignInAsync(page, tenant.OwnerKey);
        await page.GotoAsync("/console/api-keys");
        await page.GetByLabel("Name").FillAsync("pipeline");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();

        var copied = await page.EvaluateAsync<string>("navigator.clipboard.readText()");
        await Expect(page.Locator("#secret")).ToHaveTextAsync(copied);
        using var made = new ApiClient(tenant.Owner.Address, copied);
        (await made.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Rejects_by_keyboard_with_a_reason_that_has_the_keys_in_it()
    {
        using var tenant = await console.NewTenantAsync();
        var gate = await GateAsync(tenant, "Publish it?");
        await using var window = await console.SignInAsync(await tenant.NewKeyAsync("approver"));
        var page = window.Page;
        await page.GotoAsync(gate);
        var reason = page.GetByLabel("Reason (optional)");

        await reason.PressSequentiallyAsync("Rather later, as agreed.");
        await Expect(reason).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Publish it?" }).ClickAsync();
        await page.Keyboard.PressAsync("r");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Reject" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your rejection was recorded.");
        await Expect(page.Locator("#gate-head .status")).ToHaveTextAsync("rejected");
        await Expect(page.Locator("#gate-decisions blockquote")).ToHaveTextAsync("Rather later, as agreed.");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Signing_out_ends_this_session_only_and_leaves_the_key()
    {
        using var tenant = await console.NewTenantAsync();
        using var here = new Visitor(console.App.Address);
        using var there = new Visitor(console.App.Address);
        await here.SignInAsync(tenant.OwnerKey);
        await there.SignInAsync(tenant.OwnerKey);
        var form = await here.FormAsync("/console", "/console/sign-out?");

        var answer = await here.PostAsync(form.Action, form.Token);

        Assert.Equal(
            (HttpStatusCode.SeeOther, "/console/sign-in"),
            (answer.StatusCode, answer.Headers.Location?.OriginalString));
        Assert.Equal(0, here.Cookies.Count);
        foreach (var address in new[] { "/console", "/console/tasks", "/console/api-keys" })
            await here.IsLedToSignInAsync(address);
        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/console")).StatusCode);
        (await tenant.Owner.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Results_are_downloaded_in_the_forms_that_the_links_name()
    {
        using var tenant = await console.NewTenantAsync();
        var failing = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var batch = await BatchTests.SubmitAsync(tenant, $$"""
            {"id":"good","agent_id":"echo","description":"=1+2, \"quoted\""}
            {"id":"bad","agent_id":"{{failing}}","description":"b"}
            """);
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.GetAsync($"/api/batches/{batch}")).Json.GetProperty("status")
                .GetString() == "completed", "the batch to end");
        using var visitor = new Visitor(console.App.Address);
        await visitor.SignInAsync(await tenant.NewKeyAsync("viewer"));
        var html = await (await visitor.GetAsync($"/console/batches/{batch}")).Content.ReadAsStringAsync();
        var links = Download().Matches(html).ToDictionary(
            link => link.Groups["text"].Value, link => WebUtility.HtmlDecode(link.Groups["address"].Value));
        // RFC 4180; what a spreadsheet would run begins with an apostrophe.
        const string Header = "id,status,agent_id,result,answered_by,error_class,error_message,attempt,";
        const string Good = "good,completed,echo,\"'=1+2, \"\"quoted\"\"\",echo,,,";
        var bad = $"bad,failed,{failing},,";

        var csv = await ReadAsync("CSV", "text/csv");
        var json = JsonElement.Parse(await ReadAsync("JSON", "application/json"));
        var failed = await ReadAsync("Only failed, CSV", "text/csv");

        AssertBegin([Header, Good, bad, ""], csv.Split("\r\n"));
        AssertBegin([Header, bad, ""], failed.Split("\r\n"));
        Assert.Contains(",invalid_request,", failed, StringComparison.Ordinal);
        Assert.Equal(batch, json.GetProperty("batch_id").GetString());
        Assert.Equal(
            ["good completed =1+2, \"quoted\"", "bad failed "],
            json.GetProperty("results").EnumerateArray().Select(result =>
                $"{result.GetProperty("id")} {result.GetProperty("status")} {result.GetProperty("result")}"));
        Assert.Equal(
            "invalid_request",
            json.GetProperty("results")[1].GetProperty("error").GetProperty("class").GetString());

        async Task<string> ReadAsync(string link, string type)
        {
            var answer = await visitor.GetAsync(links[link]);
            Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            return await answer.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Filters_tasks_by_status_and_agent_and_the_audit_log_by_who()
    {
        using var tenant = await console.NewTenantAsync();
        var failing = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var bad = await tenant.SubmitAsync(new { agent_id = failing, description = "the bad one" });
        var good = await tenant.SubmitAsync(new { agent_id = "echo", description = "the good one" });
        await tenant.WaitForAsync(bad, "failed");
        await tenant.WaitForAsync(good, "completed");
        var key = (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = "another", role = "admin" }))
            .Expect(HttpStatusCode.Created).Json;
        using var another = new ApiClient(tenant.Owner.Address, key.GetProperty("key").GetString());
        var webhook = (await another.PostAsync("/api/webhooks", new
        {
            url = "https://example.com/hook",
            event_types = new[] { "workflow.cancelled" },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        var rows = page.Locator("tbody tr");

        await page.GotoAsync("/console/tasks");
        await Expect(rows).ToHaveCountAsync(2);
        await page.GetByLabel("Status").SelectOptionAsync("failed");
        await FilterAsync(page);
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows).ToContainTextAsync("the bad one");
        await Expect(page.GetByLabel("Status")).ToHaveValueAsync("failed");
        await page.GetByLabel("Agent", new() { Exact = true }).FillAsync("echo");
        await FilterAsync(page);
        await Expect(page.Locator(".empty h2")).ToHaveTextAsync("No tasks found");
        await page.GetByLabel("Status").SelectOptionAsync(new SelectOptionValue { Label = "Any" });
        await FilterAsync(page);
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows).ToContainTextAsync("the good one");

        await page.GotoAsync("/console/audit-log");
        await Expect(page.Locator("tbody")).ToContainTextAsync("api_key.created");
        await page.GetByLabel("Actor", new() { Exact = true }).FillAsync($"api_key:{key.GetProperty("id")}");
        await FilterAsync(page);
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows).ToContainTextAsync("webhook.created");
        await Expect(rows).ToContainTextAsync(webhook);
        Assert.Empty(window.Complaints);
    }

    private static async Task SignInAsync(IPage page, string credential)
    {
        await page.GotoAsync("/console/sign-in");
        await page.GetByLabel("API key or token").FillAsync(credential);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Home");
    }

    /// <returns>The address of a gate that waits.</returns>
    private static async Task<string> GateAsync(TestTenant tenant, string title)
    {
        using var operators = await tenant.NewClientAsync("operator");
        return $"/console/approvals/{await WorkflowWithGate.StartAsync(operators, title)}/ask";
    }

    private static Task FilterAsync(IPage page) =>
        page.GetByRole(AriaRole.Button, new() { Name = "Filter", Exact = true }).ClickAsync();

    private static Task<string> GroundOfAsync(IPage page) =>
        page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");

    private static void AssertBegin(string[] beginnings, string[] lines)
    {
        Assert.Equal(beginnings.Length, lines.Length);
        foreach (var (beginning, line) in beginnings.Zip(lines))
            Assert.StartsWith(beginning, line, StringComparison.Ordinal);
    }

    /// <summary>A moment as British English writes it, five and a half hours ahead of UTC.</summary>
    private static Regex InKolkata(JsonElement moment)
    {
        var there = moment.GetDateTimeOffset().ToOffset(TimeSpan.FromHours(5.5));
        // Any month: its short name is not the same in every version of what browsers know of languages.
        return new Regex(
            string.Create(CultureInfo.InvariantCulture, $@"^{there.Day} \w+ {there:yyyy}, {there:HH:mm:ss}$"));
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")]
    private static partial Regex WithoutScripts();

    [GeneratedRegex("""<a class="button" href="(?<address>[^"]+)" download[^>]*>(?<text>[^<]+)</a>""")]
    private static partial Regex Download();
}
