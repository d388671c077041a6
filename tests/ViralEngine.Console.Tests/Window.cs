using Microsoft.Playwright;
using ViralEngine.Testing;

namespace ViralEngine.Console.Tests;

/// <summary>A browser's window with cookies of its own. What its console complains of is kept.</summary>
public sealed class Window : IAsyncDisposable
{
    private readonly IBrowserContext context;

    private Window(IBrowserContext context, IPage page) => (this.context, Page) = (context, page);

    public IPage Page { get; }

    public List<string> Complaints { get; } = [];

    public static async Task<Window> OpenAsync(IBrowserContext context)
    {
        var window = new Window(context, await context.NewPageAsync());
        window.Page.SetDefaultTimeout((float)Eventually.Bound.TotalMilliseconds);
        window.Page.Console += (_, said) =>
        {
            if (said.Type is "error" or "warning")
                window.Complaints.Add($"{said.Text} ({said.Location})");
        };
        window.Page.PageError += (_, fault) => window.Complaints.Add(fault);
        return window;
    }

    public Task<IReadOnlyList<BrowserContextCookiesResult>> CookiesAsync() => context.CookiesAsync();

    public ValueTask DisposeAsync() => context.DisposeAsync();
}
