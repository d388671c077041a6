using System.Net;
using System.Text;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>
/// The pictures of the documents, in <c>docs/screenshots</c>: of an organization that has work. <c>./dev
/// screenshots</c> takes them anew.
/// </summary>
public sealed class GalleryTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "screenshots");
    private readonly List<string> taken = [];

    [Fact]
    public async Task The_documents_show_the_views_as_they_are_called()
    {
        using var tenant = await console.NewTenantAsync();
        (await tenant.Owner.PatchAsync($"/api/organizations/{tenant.Id}", new { name = "Northwind" }))
            .Expect(HttpStatusCode.OK);
        var (task, batch) = await WorkAsync(tenant);
        using var operators = await tenant.NewClientAsync("operator");
        var gate = await WorkflowWithGate.StartAsync(
            operators, "Refund 240 EUR for order 1042?",
            "The parcel came back on Tuesday; the customer asks for the money, not for another one.");
        var workflow = await WorkflowTests.StartBranchedAsync(tenant);
        var alert = await Incident.AddAsync(
            console.Postgres, tenant,
            "The error rate was 24 % over the last 8 minutes, above the 0.5 % to 7 % expected "
            + "(3 % is usual at this time).");
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        await window.Page.GotoAsync($"/console/workflows/{workflow}");
        await Expect(window.Page.Locator("#workflow-head .status")).ToHaveTextAsync("waiting");

        await TakeAsync(window, "home", "/console");
        await TakeAsync(window, "home-dark", "/console", ColorScheme.Dark);
        await TakeAsync(window, "task", $"/console/tasks/{task}");
        await TakeAsync(window, "batch", $"/console/batches/{batch}");
        await TakeAsync(window, "workflow", $"/console/workflows/{workflow}");
        await TakeAsync(window, "alert-dark", $"/console/alerts/{alert}", ColorScheme.Dark);
        await TakeAsync(window, "gate-phone", $"/console/approvals/{gate}/ask", width: 390);
        await TakeAsync(window, "tasks-phone-dark", "/console/tasks", ColorScheme.Dark, 390);

        Assert.Empty(window.Complaints);
        Assert.Equal(
            taken.Order(StringComparer.Ordinal),
            Directory.GetFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "console.md"));
        Assert.All(taken, name => Assert.Contains($"screenshots/{name}", document, StringComparison.Ordinal));
    }

    private async Task TakeAsync(
        Window window, string name, string address, ColorScheme scheme = ColorScheme.Light, int width = 1280)
    {
        var page = window.Page;
        await page.EmulateMediaAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
        await page.SetViewportSizeAsync(width, 760);
        await page.GotoAsync(address);
        await Expect(page.Locator("main h1")).ToBeVisibleAsync();
        var picture = await page.ScreenshotAsync();
        taken.Add($"{name}.png");
        if (Environment.GetEnvironmentVariable("VIRAL_GALLERY") is { Length: > 0 } folder)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{name}.png"), picture);
    }

    private static async Task<(string Task, string Batch)> WorkAsync(TestTenant tenant)
    {
        var summarizer = await NewAgentAsync(tenant, "summarizer", new { delay_ms_per_chunk = 20 });
        var broken = await NewAgentAsync(tenant, "translator", new { fail_with = "invalid_request" });
        foreach (var words in new[]
        {
            "Classify the ticket 1040", "Classify the ticket 1041", "Draft a reply to order 1042",
            "Translate the terms into Danish"
        })
        {
            await tenant.SubmitAsync(new
            {
                agent_id = words.StartsWith("Translate", StringComparison.Ordinal) ? broken : summarizer,
                description = words,
                tags = new[] { "support" },
            });
        }

        var task = await tenant.SubmitAsync(new
        {
            agent_id = summarizer,
            description = "Summarize what customers said about the autumn release: they like the search, "
                + "miss the export, and find the prices fair.",
            tags = new[] { "research", "autumn" },
            input = new { quarter = 3, language = "en" },
        });
        await tenant.WaitForAsync(task, "completed");
        var items = new StringBuilder();
        for (var i = 0; i < 120; i++)
            items.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $$"""{"id":"ticket-{{i}}","agent_id":"{{(i % 17 == 3 ? broken : "echo")}}","description":"""
                + $"\"Classify the ticket {i}\"}}").Append('\n');
        var batch = await BatchTests.SubmitAsync(tenant, items.ToString(), "Tickets of the week");
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.GetAsync($"/api/batches/{batch}")).Json.GetProperty("status")
                .GetString() == "completed", "the batch to end");
        return (task, batch);
    }

    private static async Task<string> NewAgentAsync(TestTenant tenant, string name, object settings) =>
        (await tenant.Owner.PostAsync("/api/agents", new { name, kind = "echo", settings }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
}
