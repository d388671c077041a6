using System.Net;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>An endpoint from its making to a redelivery.</summary>
public sealed class WebhookTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task Deletes_an_endpoint()
    {
        using var tenant = await console.NewTenantAsync();
        var webhook = await NewEndpointAsync(tenant, "https://example.com/hook");
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/webhooks/{webhook}");

        await page.Locator(".delete summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete permanently" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The endpoint was deleted.");
        Assert.Empty(await tenant.Owner.ListAsync("/api/webhooks", "webhooks"));
        var audited = await tenant.Owner.ListAsync("/api/audit-log?target_kind=webhook", "entries");
        Assert.Equal(("webhook.deleted", webhook),
            (audited[0].GetProperty("action").GetString(), audited[0].GetProperty("target_id").GetString()));
    }

    [Fact]
    public async Task Adds_an_endpoint_tests_it_and_sends_a_message_again()
    {
        using var tenant = await console.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync(503);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/webhooks/new");
        await page.GetByLabel("URL").FillAsync(receiver.Url);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(page.Locator("#secret")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^whsec_"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status).First).ToHaveTextAsync(
            "The test message was sent. See the result below.");
        await Expect(page.Locator("main h1 .status")).ToHaveTextAsync("failed");
        await Expect(page.Locator(".attempt summary")).ToContainTextAsync("503");
        receiver.AnswerWith(200);
        await page.GetByRole(AriaRole.Button, new() { Name = "Redeliver" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The message is being sent again.");

        var sent = await receiver.WaitForAsync(2);
        Assert.Equal(sent[0].Id, sent[1].Id);
        await Eventually.TrueAsync(
            async () =>
            {
                await page.ReloadAsync();
                return await page.Locator("main h1 .status").TextContentAsync() == "delivered";
            },
            "the page to tell that it was delivered");
        var audited = await tenant.Owner.ListAsync("/api/audit-log", "entries");
        Assert.Contains(audited, entry => entry.GetProperty("action").GetString() == "webhook.redelivered");
        var made = audited.Single(entry => entry.GetProperty("action").GetString() == "webhook.created");
        Assert.DoesNotContain("whsec_", made.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotates_the_secret_and_recovers_what_was_given_up()
    {
        using var tenant = await console.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync(503);
        var endpoint = await NewEndpointAsync(tenant, receiver.Url);
        (await tenant.Owner.PostAsync($"/api/webhooks/{endpoint}/test")).Expect(HttpStatusCode.OK);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/webhooks/{endpoint}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rotate" }).ClickAsync();
        await Expect(page.Locator("#secret")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^whsec_"));
        receiver.AnswerWith(200);

        await page.GotoAsync($"/console/webhooks/{endpoint}");
        await Expect(page.GetByText("whsec_")).ToHaveCountAsync(0);
        await page.GetByLabel("Failed since").FillAsync("2020-01-01T00:00");
        await page.GetByLabel("Until").FillAsync("2019-01-01T00:00");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send again" }).ClickAsync();
        await Expect(page.Locator("#until-about")).ToHaveTextAsync("Must be after since.");
        await page.GetByLabel("Until").FillAsync("");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send again" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The failed messages are being sent again.");
        await receiver.WaitForAsync(2);
    }

    internal static async Task<string> NewEndpointAsync(TestTenant tenant, string url) =>
        (await tenant.Owner.PostAsync("/api/webhooks", new { url, event_types = new[] { "batch.completed" } }))
        .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
}
