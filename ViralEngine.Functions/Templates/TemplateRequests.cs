using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Templates;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Templates;

internal sealed record SaveTemplateRequest
{
    [Required, StringLength(200, MinimumLength = 1)]
    public string Name { get; init; } = "";

    [StringLength(2000)]
    public string? Description { get; init; }

    [AllowedValues("private", "public", ErrorMessage = "Must be private or public.")]
    [Description(
        "public: every organization may read it and start workflows from it. "
        + "Only admins and owners may publish a template.")]
    public string Visibility { get; init; } = "private";

    [Description(
        "The template's parameters: name, type (string, integer, number, boolean, enum, object, array), required, "
        + "default, min, max, pattern, values. Steps read the values as input.<name>.")]
    public JsonElement? Parameters { get; init; }

    [Description(
        "The definition of a workflow: an object with steps and rollback_on_cancel. "
        + "Alternatively, give these two fields here.")]
    public JsonElement? Definition { get; init; }

    public JsonElement? Steps { get; init; }

    public bool RollbackOnCancel { get; init; }
}

internal sealed record StartFromTemplateRequest
{
    [StringLength(200, MinimumLength = 1)]
    [Description("The workflow's name; by default the template's.")]
    public string? Name { get; init; }

    [Range(1, int.MaxValue)]
    [Description("The template's version; by default the latest.")]
    public int? Version { get; init; }

    [Description("An object with a value for each parameter.")]
    public JsonElement? Parameters { get; init; }
}

internal sealed record TemplateListQuery : PageQuery;

internal sealed record TemplateQuery
{
    [Range(1, int.MaxValue)]
    [Description("By default the latest.")]
    public int? Version { get; init; }
}

internal sealed record TemplatePage(IReadOnlyList<WorkflowTemplate> WorkflowTemplates, string? NextCursor);

internal sealed record TemplateVersions(IReadOnlyList<TemplateVersion> Versions);
