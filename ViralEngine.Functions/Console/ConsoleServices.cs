using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Organizations;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Metrics;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Tasks;
using ViralEngine.Functions.Templates;
using ViralEngine.Functions.Webhooks;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions.Console;

internal static class ConsoleServices
{
    public static IServiceCollection AddConsole(this IServiceCollection services)
    {
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<AttemptCookie>();
        services.AddScoped<SessionStore>();
        services.AddScoped<SessionStart>();
        services.AddScoped<SignInPages>();
        services.AddScoped<ConsolePages>();
        services.AddScoped<LinkPages>();
        // Pages and forms call what the API's endpoints call.
        services.AddScoped<TaskEndpoints>();
        services.AddScoped<ApprovalEndpoints>();
        services.AddScoped<MetricEndpoints>();
        services.AddScoped<BudgetEndpoints>();
        services.AddScoped<BatchEndpoints>();
        services.AddScoped<BatchSubmission>();
        services.AddScoped<BatchResultEndpoint>();
        services.AddScoped<AgentEndpoints>();
        services.AddScoped<AgentBreaker>();
        services.AddScoped<WebhookEndpoints>();
        services.AddScoped<WebhookDeliveryEndpoints>();
        services.AddScoped<OrganizationEndpoints>();
        services.AddScoped<InvitationEndpoints>();
        services.AddScoped<MemberEndpoints>();
        services.AddScoped<ApiKeyEndpoints>();
        services.AddScoped<AuditEndpoints>();
        services.AddScoped<AlertEndpoints>();
        services.AddScoped<AlertRuleEndpoints>();
        services.AddScoped<WorkflowEndpoints>();
        services.AddScoped<TemplateEndpoints>();
        return services;
    }
}
