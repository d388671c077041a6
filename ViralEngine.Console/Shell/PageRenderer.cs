using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Logging;

namespace ViralEngine.Console.Shell;

/// <summary>Renders a page to HTML: a component inside the shell that all of them share.</summary>
public static class PageRenderer
{
    public static async Task<string> RenderAsync<TPage>(
        IServiceProvider services, ILoggerFactory logs, Viewer viewer, string title, string section,
        IReadOnlyDictionary<string, object?> page)
        where TPage : IComponent
    {
        await using var renderer = new HtmlRenderer(services, logs);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var document = await renderer.RenderComponentAsync<Document>(
                ParameterView.FromDictionary(new Dictionary<string, object?>
                {
                    [nameof(Document.Who)] = viewer,
                    [nameof(Document.Title)] = title,
                    [nameof(Document.Section)] = section,
                    [nameof(Document.Page)] = typeof(TPage),
                    [nameof(Document.Parameters)] = page.ToDictionary(each => each.Key, each => each.Value!),
                }));
            return "<!doctype html>\n" + document.ToHtmlString();
        });
    }
}
