using System.Text.Json;

namespace ViralEngine.Core.Templates;

/// <summary>A definition to start workflows from, with typed parameters. Its versions never change.</summary>
/// <param name="Visibility"><c>private</c>, or <c>public</c>: every organization may read it and start workflows from it.</param>
/// <param name="Own">Whether it is the caller's organization's.</param>
/// <param name="Version">The version that <paramref name="Definition"/> and <paramref name="Parameters"/> are of; in lists the latest.</param>
public sealed record WorkflowTemplate(
    Guid Id,
    string Name,
    string? Description,
    string Visibility,
    bool Own,
    int LatestVersion,
    int Version,
    JsonElement? Definition,
    JsonElement? Parameters,
    DateTime CreatedAt,
    DateTime UpdatedAt);

/// <summary>One version in a template's list of them.</summary>
public sealed record TemplateVersion(int Version, string CreatedBy, DateTime CreatedAt);
