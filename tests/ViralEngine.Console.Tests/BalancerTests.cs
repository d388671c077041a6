using Microsoft.Playwright;
using ViralEngine.Testing;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>Pages at several instances behind a balancer.</summary>
public sealed class BalancerTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    private static readonly string Words = string.Join(' ', Enumerable.Range(1, 80).Select(i => $"word-{i};"));

    [Fact]
    public async Task A_page_goes_on_whichever_instance_is_killed()
    {
        await using var one = await console.StartAnotherAsync();
        await using var another = await console.StartAnotherAsync();
        await using var balancer = new TcpLink(one.Port, another.Port);
        using var tenant = await console.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 300 });
        var task = await tenant.SubmitAsync(new { agent_id = slow, description = Words });
        await using var window = await console.SignInAsync(
            tenant.OwnerKey, new Uri($"http://127.0.0.1:{balancer.Port}"));
        var page = window.Page;
        await page.GotoAsync($"/console/tasks/{task}");
        await page.EvaluateAsync("window.isTheSamePage = true");
        await Expect(page.Locator("#answer")).ToContainTextAsync("word-2;");

        await another.KillAsync();
        await Expect(page.Locator("#answer")).ToContainTextAsync("word-12;");
        await another.RestartAsync();
        await one.KillAsync();

        await Expect(page.Locator("#task-head .status")).ToHaveTextAsync("completed");
        await Expect(page.Locator("#answer")).ToHaveTextAsync(Words);
        Assert.True(await page.EvaluateAsync<bool>("window.isTheSamePage === true"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Batches" }).ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Batches");
    }
}
