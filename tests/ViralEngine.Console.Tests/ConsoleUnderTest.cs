using Microsoft.Playwright;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>The app that classes share, and a real browser. Each test has a tenant and a window of its own.</summary>
public class ConsoleUnderTest : IAsyncLifetime
{
    private static readonly string[] Names =
        ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private IPlaywright? playwright;
    private IBrowser browser = null!;

    public AppProcess App { get; private set; } = null!;

    public TestPostgres Postgres { get; private set; } = null!;

    public Task<TestTenant> NewTenantAsync() => TestTenant.CreateAsync(App.Address, AppSettings.PlatformKey);

    /// <summary>A further instance beside the first.</summary>
    public Task<AppProcess> StartAnotherAsync() => AppProcess.StartAsync(App.Settings);

    /// <summary>A window that nobody is signed in at.</summary>
    /// <param name="address">Where it finds the app, unless at the first instance.</param>
    public async Task<Window> NewWindowAsync(BrowserNewContextOptions? options = null, Uri? address = null)
    {
        options ??= new BrowserNewContextOptions();
        options.BaseURL = (address ?? App.Address).ToString();
        options.TimezoneId = "Asia/Kolkata";
        options.Locale = "en-GB";
        return await Window.OpenAsync(await browser.NewContextAsync(options));
    }

    /// <summary>A window that is signed in with the key.</summary>
    public async Task<Window> SignInAsync(string credential, Uri? address = null)
    {
        var window = await NewWindowAsync(address: address);
        await window.Page.GotoAsync("/console/sign-in");
        await window.Page.GetByLabel("API key or token").FillAsync(credential);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        // Not until it is loaded: at times the driver misses that event.
        await window.Page.WaitForURLAsync("**/console", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        return window;
    }

    public async Task InitializeAsync()
    {
        (App, Postgres) = await StartAppAsync();
        Assertions.SetDefaultExpectTimeout((float)Eventually.Bound.TotalMilliseconds);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Executable(),
            // Its sandbox refuses to run as root.
            ChromiumSandbox = Environment.UserName != "root",
            Args = ["--disable-dev-shm-usage", "--disable-gpu"],
        });
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        await EndAppAsync();
    }

    protected virtual async Task<(AppProcess App, TestPostgres Postgres)> StartAppAsync()
    {
        var shared = await SharedApp.StartedAsync();
        return (shared.App, shared.Postgres);
    }

    protected virtual Task EndAppAsync() => SharedApp.CheckAsync();

    private static string Executable() =>
        Environment.GetEnvironmentVariable("VIRAL_CHROMIUM")
        ?? (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException(
            "Chromium is missing. Run the tests with ./dev test, which installs it, "
            + "or set VIRAL_CHROMIUM to its path.");
}
