using System.Text.Json;

namespace ViralEngine.Core.Templates;

/// <summary>A workflow definition with typed parameters. Versions never change.</summary>
/// <param name="Visibility"><c>private</c>, or <c>public</c>: every organization may read it and start workflows from
/// it.</param>
/// <param name="Own">Whether it belongs to the caller's organization.</param>
/// <param name="Version">The version of <paramref name="Definition"/> and <paramref name="Parameters"/>; in lists, the
/// latest.</param>
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

/// <summary>A version of a template.</summary>
public sealed record TemplateVersion(int Version, string CreatedBy, DateTime CreatedAt);
