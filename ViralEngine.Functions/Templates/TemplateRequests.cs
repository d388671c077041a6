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
    [Description("Public: every organization may read it and start workflows from it. Admins and owners may say so.")]
    public string Visibility { get; init; } = "private";

    [Description(
        "What the template wants to be told: name, type (string, integer, number, boolean, enum, object, array), required, default, min, "
        + "max, pattern, values. Steps find the values as input.<name>.")]
    public JsonElement? Parameters { get; init; }

    [Description("As of a workflow: an object with steps and rollback_on_cancel; or give those two here themselves.")]
    public JsonElement? Definition { get; init; }

    public JsonElement? Steps { get; init; }

    public bool RollbackOnCancel { get; init; }
}

internal sealed record StartFromTemplateRequest
{
    [StringLength(200, MinimumLength = 1)]
    [Description("Of the workflow; the template's unless given.")]
    public string? Name { get; init; }

    [Range(1, int.MaxValue)]
    [Description("Of the template; its latest unless given.")]
    public int? Version { get; init; }

    [Description("An object with a value for each parameter.")]
    public JsonElement? Parameters { get; init; }
}

internal sealed record TemplateListQuery : PageQuery;

internal sealed record TemplateQuery
{
    [Range(1, int.MaxValue)]
    [Description("The latest unless given.")]
    public int? Version { get; init; }
}

internal sealed record TemplatePage(IReadOnlyList<WorkflowTemplate> WorkflowTemplates, string? NextCursor);

internal sealed record TemplateVersions(IReadOnlyList<TemplateVersion> Versions);
