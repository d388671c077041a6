using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What people see first.</summary>
public sealed class HomeTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task Shows_running_batches_with_their_progress_and_the_last_day_of_work()
    {
        using var tenant = await console.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var items = Enumerable.Range(1, 4).Select(number =>
            $$"""{"agent_id":"{{(number > 3 ? slow : "echo")}}","description":"{{number}}"}""");
        var batch = await BatchTests.SubmitAsync(tenant, string.Join('\n', items), "Tickets of today");
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.GetAsync($"/api/batches/{batch}")).Json
                .GetProperty("progress").GetDouble() >= 0.75,
            "three of four items to be done");
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;

        var row = page.Locator("tr", new() { HasText = "Tickets of today" });
        await Expect(row.Locator("svg.bar")).ToHaveAttributeAsync(
            "aria-label", new System.Text.RegularExpressions.Regex("^3 completed, 0 failed"));
        await Expect(page.Locator("figure.chart")).ToHaveCountAsync(3);
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = new("^Finished per minute: from 0") }))
            .ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Link).ClickAsync();

        await Expect(page.Locator("h1")).ToContainTextAsync("Tickets of today");
        Assert.Empty(window.Complaints);
    }
}
