using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace ViralEngine.Console.Parts;

/// <summary>An SVG text element, because Razor reserves the name <c>text</c>.</summary>
public sealed class SvgText : ComponentBase
{
    [Parameter, EditorRequired] public string X { get; set; } = "";

    [Parameter, EditorRequired] public string Y { get; set; } = "";

    [Parameter, EditorRequired] public string Value { get; set; } = "";

    [Parameter] public string? Class { get; set; }

    /// <summary><c>start</c>, <c>middle</c> or <c>end</c>: which part of the text is at the position.</summary>
    [Parameter] public string? Anchor { get; set; }

    /// <summary>The full text, if only the beginning is shown.</summary>
    [Parameter] public string? Whole { get; set; }

    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "text");
        builder.AddAttribute(1, "class", Class);
        builder.AddAttribute(2, "x", X);
        builder.AddAttribute(3, "y", Y);
        builder.AddAttribute(4, "text-anchor", Anchor);
        if (Whole is not null)
        {
            builder.OpenElement(5, "title");
            builder.AddContent(6, Whole);
            builder.CloseElement();
        }

        builder.AddContent(7, Value);
        builder.CloseElement();
    }
}
