using Microsoft.AspNetCore.Components;

namespace ViralEngine.Console.Shell;

/// <summary>What every page and part knows: who looks at it. They are rendered once, on the server, and hold nothing afterwards.</summary>
public abstract class ConsoleComponent : ComponentBase
{
    [CascadingParameter]
    public Viewer Viewer { get; set; } = null!;
}
