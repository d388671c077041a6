using System.Reflection;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Webhooks;
using ViralEngine.Core.Workflows;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Health;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;
using ViralEngine.Functions.Tasks;
using ViralEngine.Functions.Templates;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.OpenApi;

/// <summary>
/// Members whose type in the code is too general: any JSON, or any string. Each has a written schema, or an array of
/// one (<c>WorkflowStep[]</c>).
/// </summary>
internal static class TypedMembers
{
    private static readonly Dictionary<(Type, string), string> Known = new()
    {
        [(typeof(CreateWorkflowRequest), nameof(CreateWorkflowRequest.Definition))] = "WorkflowDefinition",
        [(typeof(CreateWorkflowRequest), nameof(CreateWorkflowRequest.Steps))] = "WorkflowStep[]",
        [(typeof(SaveTemplateRequest), nameof(SaveTemplateRequest.Definition))] = "WorkflowDefinition",
        [(typeof(SaveTemplateRequest), nameof(SaveTemplateRequest.Steps))] = "WorkflowStep[]",
        [(typeof(SaveTemplateRequest), nameof(SaveTemplateRequest.Parameters))] = "TemplateParameter[]",
        [(typeof(SaveTemplateRequest), nameof(SaveTemplateRequest.Visibility))] = "Visibility",
        [(typeof(StartFromTemplateRequest), nameof(StartFromTemplateRequest.Parameters))] = "FreeObject",
        [(typeof(VisualizeQuery), nameof(VisualizeQuery.Format))] = "GraphFormat",
        [(typeof(BatchItemRequest), nameof(BatchItemRequest.Metadata))] = "FreeObject",
        [(typeof(CreateTaskRequest), nameof(CreateTaskRequest.Metadata))] = "FreeObject",
        [(typeof(SaveAgentRequest), nameof(SaveAgentRequest.Settings))] = "FreeObject",
        [(typeof(SaveAgentRequest), nameof(SaveAgentRequest.Kind))] = "AgentKind",
        [(typeof(AgentListQuery), nameof(AgentListQuery.Kind))] = "AgentKind",
        [(typeof(CreateOrganizationRequest), nameof(CreateOrganizationRequest.Plan))] = "Plan",
        [(typeof(UpdateOrganizationRequest), nameof(UpdateOrganizationRequest.Plan))] = "Plan",
        [(typeof(AddMemberRequest), nameof(AddMemberRequest.Role))] = "Role",
        [(typeof(ChangeMemberRequest), nameof(ChangeMemberRequest.Role))] = "Role",
        [(typeof(CreateApiKeyRequest), nameof(CreateApiKeyRequest.Role))] = "Role",

        [(typeof(Problem), nameof(Problem.Type))] = "ProblemType",
        [(typeof(AgentTask), nameof(AgentTask.Metadata))] = "FreeObject",
        [(typeof(AgentTask), nameof(AgentTask.WaitingFor))] = "WaitReason",
        [(typeof(TaskError), nameof(TaskError.Class))] = "ErrorClass",
        [(typeof(EventHistory), nameof(EventHistory.Events))] = "TaskEvent[]",
        [(typeof(Batch), nameof(Batch.WaitingFor))] = "WaitReason",
        [(typeof(BatchResult), nameof(BatchResult.Metadata))] = "FreeObject",
        [(typeof(AgentFlowState), nameof(AgentFlowState.HeldBackBy))] = "HeldBackBy",
        [(typeof(AgentResource), nameof(AgentResource.Kind))] = "AgentKind",
        [(typeof(AgentResource), nameof(AgentResource.Settings))] = "FreeObject",
        [(typeof(Workflow), nameof(Workflow.Definition))] = "WorkflowDefinition",
        [(typeof(StepError), nameof(StepError.Class))] = "StepErrorClass",
        [(typeof(GraphNode), nameof(GraphNode.Type))] = "GraphNodeType",
        [(typeof(GraphNode), nameof(GraphNode.Status))] = "GraphNodeStatus",
        [(typeof(WorkflowTemplate), nameof(WorkflowTemplate.Definition))] = "WorkflowDefinition",
        [(typeof(WorkflowTemplate), nameof(WorkflowTemplate.Parameters))] = "TemplateParameter[]",
        [(typeof(WorkflowTemplate), nameof(WorkflowTemplate.Visibility))] = "Visibility",
        [(typeof(GateResource), nameof(GateResource.Roles))] = "DeciderRole[]",
        [(typeof(DecisionResource), nameof(DecisionResource.Via))] = "DecisionVia",
        [(typeof(Organization), nameof(Organization.Plan))] = "Plan",
        [(typeof(OrganizationDetails), nameof(OrganizationDetails.Plan))] = "Plan",
        [(typeof(CreatedOrganization), nameof(CreatedOrganization.Plan))] = "Plan",
        [(typeof(Member), nameof(Member.Role))] = "Role",
        [(typeof(ApiKey), nameof(ApiKey.Role))] = "Role",
        [(typeof(CreatedApiKey), nameof(CreatedApiKey.Role))] = "Role",
        [(typeof(Invitation), nameof(Invitation.Role))] = "Role",
        [(typeof(AuditEntry), nameof(AuditEntry.Role))] = "ActorRole",
        [(typeof(AuditEntry), nameof(AuditEntry.Credential))] = "Credential",
        [(typeof(AuditEntry), nameof(AuditEntry.Before))] = "FreeObject",
        [(typeof(AuditEntry), nameof(AuditEntry.After))] = "FreeObject",
        [(typeof(WebhookDelivery), nameof(WebhookDelivery.EventType))] = "EventType",
        [(typeof(WebhookRequest), nameof(WebhookRequest.Headers))] = "HeaderMap",
        [(typeof(WebhookResponse), nameof(WebhookResponse.Headers))] = "HeaderMap",
        [(typeof(Liveness), nameof(Liveness.Status))] = "HealthStatus",
        [(typeof(Readiness), nameof(Readiness.Status))] = "ReadyStatus",
        [(typeof(Probe), nameof(Probe.Status))] = "ProbeStatus",
    };

    public static string? Find(MemberInfo member) => Known.GetValueOrDefault((member.DeclaringType!, member.Name));
}
