using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace ViralEngine.Console.Tests;

/// <summary>Looks at a view as people do: in light, in dark, and on a narrow phone.</summary>
public static class Views
{
    private static readonly RunOnlyOptions Colours =
        new() { Type = "rule", Values = ["color-contrast", "link-in-text-block"] };

    /// <summary>Off by default: what is pressed is at least 24 px wide and high, or apart from the rest.</summary>
    private static readonly Dictionary<string, RuleOptions> Targets =
        new() { ["target-size"] = new RuleOptions { Enabled = true } };

    /// <summary>
    /// What axe looks at in each: the narrow look has the colours of the light one, and all that the wide one has
    /// besides.
    /// </summary>
    private static readonly (string Name, ColorScheme Scheme, int Width, int Height, AxeRunOptions? Axe)[] Looks =
    [
        ("light", ColorScheme.Light, 1280, 860, null),
        ("narrow", ColorScheme.Light, 360, 740, new AxeRunOptions { Rules = Targets }),
        ("dark", ColorScheme.Dark, 1280, 860, new AxeRunOptions { RunOnly = Colours }),
    ];

    /// <summary>
    /// Nothing to scroll sideways, nothing that the browser complains of, nothing serious that axe finds. With
    /// VIRAL_SCREENSHOTS set to a folder, pictures are left there.
    /// </summary>
    public static async Task LooksRightAsync(this Window window, string address, string name)
    {
        foreach (var look in Looks)
        {
            await window.Page.EmulateMediaAsync(
                new() { ColorScheme = look.Scheme, ReducedMotion = ReducedMotion.Reduce });
            await window.Page.SetViewportSizeAsync(look.Width, look.Height);
            // A window that is made narrow shows what it had shown wide.
            if (look.Name != "narrow")
                await window.Page.GotoAsync(address);
            await Assertions.Expect(window.Page.Locator("main h1")).ToBeVisibleAsync();
            if (Environment.GetEnvironmentVariable("VIRAL_SCREENSHOTS") is { Length: > 0 } folder)
                await window.Page.ScreenshotAsync(
                    new() { Path = Path.Combine(folder, $"{name}-{look.Name}.png"), FullPage = true });

            var wider = await window.Page.EvaluateAsync<int>(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(wider <= 0, $"{address} is {wider} px too wide in {look.Name}.");
            if (look.Axe is null)
                continue;
            var found = await window.Page.RunAxe(look.Axe);
            var serious = found.Violations.Where(each => each.Impact is "serious" or "critical").ToList();
            Assert.True(serious.Count == 0, $"{address} in {look.Name}:\n" + string.Join('\n', serious.Select(each =>
                $"{each.Id}: {each.Help}\n  {string.Join("\n  ", each.Nodes.Select(node => node.Html))}")));
        }

        Assert.Empty(window.Complaints);
    }
}
