using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Workflows;
using ViralEngine.Core.Workflows.Execution;
using ViralEngine.Functions.Templates;

namespace ViralEngine.Functions.Workflows;

internal static class WorkflowServices
{
    public static IServiceCollection AddWorkflows(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChecked<WorkflowsOptions>(configuration, WorkflowsOptions.Section);
        services.AddSingleton<DefinitionReader>();
        services.AddSingleton<WorkflowStarts>();
        services.AddScoped<WorkflowStore>();
        services.AddScoped<WorkflowTurnStore>();
        services.AddScoped<WorkflowSweeper>();
        services.AddScoped<WorkflowWebhook>();
        services.AddScoped<WorkflowFaults>();
        services.AddScoped<WorkflowTasks>();
        services.AddScoped<AdvanceWorkflow>();
        services.AddScoped<RetryWorkflow>();
        services.AddScoped<SubmitWorkflow>();
        services.AddScoped<GateStore>();
        services.AddScoped<DecideGate>();
        services.AddSingleton<LinkSigner>();
        services.AddScoped<LinkStore>();
        services.AddScoped<ApproverDirectory>();
        services.AddScoped<DecideByLink>();
        services.AddScoped<TemplateStore>();
        services.AddScoped<PublicTemplates>();
        return services;
    }
}
