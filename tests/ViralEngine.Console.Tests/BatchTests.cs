using System.Net;
using System.Text;
using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>A batch from a file to its results, as somebody at a browser sees it.</summary>
public sealed class BatchTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task A_dropped_file_is_previewed_and_submitted_and_comes_to_its_results()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/batches/new");

        await DropAsync(
            page, "greetings.csv",
            "id,description,tone\r\nfirst,\"Hello, \"\"you\"\"\",kind\r\n"
            + "second,Good\u00a0bye,\r\nthird,So long,short\r\n");
        await Expect(page.Locator("#batch-preview h2")).ToHaveTextAsync("3 items found");
        await Expect(page.Locator("#batch-preview tbody tr").First).ToContainTextAsync("Hello, \"you\"");
        await Expect(page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync("greetings");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The batch was submitted.");
        await Expect(page.Locator("#batch-head .status")).ToHaveTextAsync("completed");
        await Expect(page.Locator("#batch-progress h2")).ToHaveTextAsync("100 % finished");
        var download = await page.RunAndWaitForDownloadAsync(
            () => page.GetByRole(AriaRole.Link, new() { Name = "NDJSON", Exact = true }).ClickAsync());
        var lines = await File.ReadAllLinesAsync((await download.PathAsync())!);
        Assert.Equal(3, lines.Length);
        Assert.Contains("\"id\":\"first\"", lines[0], StringComparison.Ordinal);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Tells_the_line_of_each_fault_and_submits_nothing()
    {
        using var tenant = await console.NewTenantAsync();
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync("/console/batches/new");

        await DropAsync(
            page, "bad.csv", "description;timeout_seconds\n\"over\ntwo lines\";10\nfine;soon\n;20\n\"open;1\n");

        await Expect(page.Locator("#batch-preview li")).ToHaveTextAsync(
            [
                "line 4.timeout_seconds: Must be a whole number from 1 to 3,600.", "line 5.description: Is required.",
                "line 6: Must close each quote, with nothing between it and the next separator."
            ]);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Submit" })).ToBeDisabledAsync();
        Assert.Empty(await tenant.Owner.ListAsync("/api/batches", "batches"));
    }

    [Fact]
    public async Task Failures_stand_together_by_kind_and_run_again()
    {
        using var tenant = await console.NewTenantAsync();
        var once = await tenant.NewEchoAsync(new { fail_with = "invalid_request", fail_first_attempts = 1 });
        var batch = await SubmitAsync(tenant, $$"""
            {"id":"good","agent_id":"echo","description":"a"}
            {"id":"bad","agent_id":"{{once}}","description":"b"}
            {"id":"worse","agent_id":"{{once}}","description":"c"}
            """);
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        var page = window.Page;
        await page.GotoAsync($"/console/batches/{batch}");
        await Expect(page.Locator("#batch-head .status")).ToHaveTextAsync("completed");
        var row = page.Locator("#batch-failures tbody tr");
        await Expect(row).ToHaveCountAsync(1);
        await Expect(row).ToContainTextAsync("invalid request");
        await Expect(row).ToContainTextAsync("Item bad, worse");

        await page.GetByRole(AriaRole.Button, new() { Name = "Retry failed items" }).ClickAsync();

        await Expect(page.Locator("#batch-failures")).ToContainTextAsync("No item has failed.");
        await Expect(page.Locator("#batch-head .status")).ToHaveTextAsync("completed");
        var audited = await tenant.Owner.ListAsync("/api/audit-log", "entries");
        Assert.Contains(audited, entry => entry.GetProperty("action").GetString() == "batch.retried"
            && entry.GetProperty("target_id").GetString() == batch);
    }

    [Fact]
    public async Task Cancels_a_batch_that_runs_while_the_page_looks_on()
    {
        using var tenant = await console.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var batch = await SubmitAsync(tenant, $$"""{"agent_id":"{{slow}}","description":"never"}""");
        await using var window = await console.SignInAsync(tenant.OwnerKey);
        await window.Page.GotoAsync($"/console/batches/{batch}");

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await Expect(window.Page.Locator("#batch-head .status")).ToHaveTextAsync("cancelled");
    }

    internal static async Task<string> SubmitAsync(TestTenant tenant, string ndjson, string name = "some") =>
        (await tenant.Owner.SendBytesAsync(
            HttpMethod.Post, $"/api/batches?name={Uri.EscapeDataString(name)}", Encoding.UTF8.GetBytes(ndjson),
            "application/x-ndjson"))
        .Expect(HttpStatusCode.Accepted).Json.GetProperty("id").GetString()!;

    private static async Task DropAsync(IPage page, string name, string text)
    {
        var transfer = await page.EvaluateHandleAsync(
            "([name, text]) => { const all = new DataTransfer(); all.items.add(new File([text], name)); return all; }",
            new[] { name, text });
        await page.DispatchEventAsync("[data-drop]", "drop", new { dataTransfer = transfer });
    }
}
