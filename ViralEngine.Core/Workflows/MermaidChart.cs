using System.Text;

namespace ViralEngine.Core.Workflows;

/// <summary>A graph as a Mermaid flowchart; the colour of a node shows its state.</summary>
public static class MermaidChart
{
    private static readonly (string Status, string Style)[] Styles =
    [
        ("pending", "fill:#f3f4f6,stroke:#9ca3af,color:#374151"),
        ("in_progress", "fill:#dbeafe,stroke:#2563eb,color:#1e3a8a"),
        ("waiting", "fill:#fef3c7,stroke:#d97706,color:#78350f"),
        ("retrying", "fill:#ffedd5,stroke:#ea580c,color:#7c2d12"),
        ("completed", "fill:#dcfce7,stroke:#16a34a,color:#14532d"),
        ("failed", "fill:#fee2e2,stroke:#dc2626,color:#7f1d1d"),
        ("cancelled", "fill:#e5e7eb,stroke:#6b7280,color:#374151"),
    ];

    public static string Of(WorkflowGraph graph)
    {
        // Steps' ids may be words of Mermaid's own ("end" breaks a chart): nodes are numbered.
        var names = graph.Nodes.Index().ToDictionary(node => node.Item.Id, node => $"n{node.Index}");
        var chart = new StringBuilder("flowchart TD\n");
        foreach (var node in graph.Nodes)
        {
            var label = Escape(node.Label);
            var shape = node.Type switch
            {
                "start" or "end" => $"([\"{label}\"])",
                "choice" => $"{{\"{label}\"}}",
                "approval" => $"[/\"{label}\"/]",
                "parallel" or "join" => $"[[\"{label}\"]]",
                "delay" => $"(\"{label}\")",
                _ => $"[\"{label}\"]",
            };
            chart.Append("    ").Append(names[node.Id]).Append(shape).Append(":::").Append(node.Status).Append('\n');
        }

        foreach (var edge in graph.Edges)
        {
            chart.Append("    ").Append(names[edge.From]).Append(edge.Label == "rollback" ? " -." : " --");
            chart.Append(edge.Label switch
            {
                null => "> ",
                "rollback" => "->|\"rollback\"| ",
                _ => $">|\"{Escape(edge.Label)}\"| ",
            });
            chart.Append(names[edge.To]).Append('\n');
        }

        foreach (var (status, style) in Styles)
            chart.Append("    classDef ").Append(status).Append(' ').Append(style).Append('\n');
        return chart.ToString();
    }

    /// <summary>Escapes everything but letters, digits and plain punctuation as numeric entities.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (System.Text.Rune.IsLetterOrDigit(rune)
                || rune.Value is ' ' or '_' or '-' or '.' or ',' or '?' or '!' or ':' or '€' or '$')
                escaped.Append(rune);
            else
                escaped.Append('#').Append(rune.Value).Append(';');
        }

        return escaped.ToString();
    }
}
