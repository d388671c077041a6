using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Requests;

namespace ViralEngine.Functions.Workflows;

internal sealed record CreateWorkflowRequest
{
    [StringLength(200, MinimumLength = 1)]
    public string? Name { get; init; }

    [Description(
        "The definition: an object with steps and rollback_on_cancel. Alternatively, give these two fields here.")]
    public JsonElement? Definition { get; init; }

    [Description(
        "The steps, in order: task, parallel, choice, approval, delay or webhook. "
        + "Texts are Liquid templates over input and steps.<id>.output.")]
    public JsonElement? Steps { get; init; }

    [Description("Whether to roll back completed steps when the workflow is cancelled.")]
    public bool RollbackOnCancel { get; init; }

    [Description("Any JSON. Templates read it as input.")]
    public JsonElement? Input { get; init; }
}

internal sealed record WorkflowListQuery : PageQuery
{
    public WorkflowStatus? Status { get; init; }

    public Guid? TemplateId { get; init; }

    public DateTime? CreatedAfter { get; init; }

    public DateTime? CreatedBefore { get; init; }
}

internal sealed record VisualizeQuery
{
    [AllowedValues("json", "mermaid", ErrorMessage = "Must be json or mermaid.")]
    public string Format { get; init; } = "json";
}

internal sealed record WorkflowPage(IReadOnlyList<Workflow> Workflows, string? NextCursor);
