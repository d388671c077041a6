using Microsoft.AspNetCore.Components;

namespace ViralEngine.Console.Shell;

/// <summary>The base of all pages and parts, with the viewer. Rendered once, on the server, without state.</summary>
public abstract class ConsoleComponent : ComponentBase
{
    [CascadingParameter]
    public Viewer Viewer { get; set; } = null!;
}
