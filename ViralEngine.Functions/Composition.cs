using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using ViralEngine.Core.Agents;
using ViralEngine.Core.Alerts;
using ViralEngine.Core.Approvals;
using ViralEngine.Core.Audit;
using ViralEngine.Core.Batches;
using ViralEngine.Core.Breakers;
using ViralEngine.Core.Events;
using ViralEngine.Core.Flow;
using ViralEngine.Core.Idempotency;
using ViralEngine.Core.Lanes;
using ViralEngine.Core.Limits;
using ViralEngine.Core.Metrics;
using ViralEngine.Core.Organizations;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Redis;
using ViralEngine.Core.Retention;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.SignIn;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Tasks;
using ViralEngine.Core.Templates;
using ViralEngine.Core.Webhooks;
using ViralEngine.Core.Workflows;
using ViralEngine.Core.Workflows.Execution;
using ViralEngine.Functions.Agents;
using ViralEngine.Functions.Alerts;
using ViralEngine.Functions.Approvals;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Batches;
using ViralEngine.Functions.Console;
using ViralEngine.Functions.Health;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Metrics;
using ViralEngine.Functions.OpenApi;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Streams;
using ViralEngine.Functions.Tasks;
using ViralEngine.Functions.Templates;
using ViralEngine.Functions.Webhooks;
using ViralEngine.Functions.Workflows;

namespace ViralEngine.Functions;

/// <summary>The app's services, feature by feature.</summary>
internal static class Composition
{
    public static IServiceCollection AddEdge(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<EdgeOptions>().Bind(configuration.GetSection(EdgeOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<PublicAddress>();
        services.AddSingleton<ClientAddress>();
        services.AddSingleton<BytesInFlight>();
        services.AddSingleton<BodyReceiver>();
        services.AddSingleton<TenantShares>();
        return services;
    }

    public static IServiceCollection AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        var connectionString = configuration.GetConnectionString("Postgres");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new InvalidOperationException(
                "ConnectionStrings:Postgres is not set. Set the environment variable ConnectionStrings__Postgres, or start with ./dev run.");
        }

        var credential = configuration.AzureCredential();
        services.AddSingleton(_ => PostgresDataSource.Create(connectionString, credential));
        services.AddSingleton(provider => Outage.Of(provider.GetRequiredService<NpgsqlDataSource>()));
        services.AddSingleton(_ => new HealthConnection(connectionString, credential));
        services.AddSingleton(new PoolSize(new NpgsqlConnectionStringBuilder(connectionString).MaxPoolSize));
        services.AddSingleton(new RedisSettings(configuration.GetConnectionString("Redis"), credential));
        services.AddSingleton<RedisConnection>();
        services.AddScoped<Db>();
        services.AddSingleton<ChangePoller>();
        services.AddSingleton<Signals>();
        services.AddScoped<EventFollower>();
        services.AddScoped<EventStore>();
        return services;
    }

    public static IServiceCollection AddOrganizations(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<AuthOptions>().Bind(configuration.GetSection("Auth")).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IdentityProvider>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<PlatformKey>();
        services.AddSingleton<ApiKeyLookup>();
        services.AddScoped<Authenticator>();
        services.AddScoped<CallerCheck>();
        services.AddScoped<OrganizationStore>();
        services.AddScoped<DeleteOrganization>();
        services.AddScoped<MemberStore>();
        services.AddScoped<InvitationStore>();
        services.AddScoped<WaysIn>();
        services.AddScoped<ApiKeyStore>();
        return services;
    }

    public static IServiceCollection AddAgents(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<OutgoingOptions>().Bind(configuration.GetSection(OutgoingOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<SecretsOptions>().Bind(configuration.GetSection(SecretsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AgentsOptions>().Bind(configuration.GetSection(AgentsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<OutgoingHttp>();
        services.AddSingleton(provider => provider.GetRequiredService<OutgoingHttp>().Urls);
        services.AddSingleton<SecretBox>();
        services.AddSingleton<SettingsRules>();
        services.AddSingleton<PriceTable>();
        services.AddSingleton<AnswerMemory>();
        services.AddSingleton<AgentProviders>();
        services.AddScoped<AgentStore>();
        services.AddScoped<AgentDirectory>();
        services.AddScoped<AgentRunner>();
        services.AddScoped<SaveAgent>();
        services.AddScoped<TestAgent>();
        services.AddScoped<AgentSecretRotation>();
        return services;
    }

    public static IServiceCollection AddTasks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<LanesOptions>().Bind(configuration.GetSection(LanesOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<CallSlots>();
        services.AddSingleton<LaneSignals>();
        services.AddSingleton<Awake>();
        services.AddSingleton(TaskLeaseOptions.Default);
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton<TaskGroups>();
        services.AddSingleton<TokenLog>();
        services.AddSingleton<TaskLanes>();
        services.AddSingleton<TaskClaimStore>();
        services.AddSingleton<TaskLeaseStore>();
        services.AddScoped<TaskStore>();
        services.AddScoped<TaskTokenReader>();
        services.AddScoped<StreamPartStore>();
        services.AddScoped<TaskSweeper>();
        services.AddScoped<TaskRunner>();
        services.AddScoped<LapsedLook>();
        services.AddScoped<TaskLaneRunner>();
        return services;
    }

    public static IServiceCollection AddRetention(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RetentionOptions>().Bind(configuration.GetSection(RetentionOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddScoped<TaskRetention>();
        services.AddScoped<BatchRetention>();
        services.AddScoped<OrganizationRetention>();
        return services;
    }

    public static IServiceCollection AddBatches(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<BatchOptions>().Bind(configuration.GetSection(BatchOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<BatchLaneKeeper>();
        services.AddSingleton<TenantTurns>();
        services.AddSingleton<BatchStarts>();
        services.AddScoped<BatchIntake>();
        services.AddScoped<BatchStore>();
        services.AddScoped<BatchResultReader>();
        services.AddScoped<BatchFailureReader>();
        services.AddScoped<BatchCourse>();
        services.AddScoped<BatchLaneStore>();
        services.AddScoped<SliceRunner>();
        services.AddScoped<BatchLaneRunner>();
        services.AddScoped<BatchSweeper>();
        return services;
    }

    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<WebhooksOptions>().Bind(configuration.GetSection(WebhooksOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<DeliveryPump>();
        services.AddHostedService<WebhookDelivering>();
        services.AddScoped<WebhookStore>();
        services.AddScoped<DeliveryLog>();
        services.AddScoped<WebhookTest>();
        return services;
    }

    public static IServiceCollection AddIdempotency(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<IdempotencyOptions>().Bind(configuration.GetSection(IdempotencyOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IdempotencyLeases>();
        services.AddScoped<IdempotencyStore>();
        return services;
    }

    public static IServiceCollection AddAudit(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<AuditOptions>().Bind(configuration.GetSection(AuditOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddScoped<AuditStore>();
        services.AddScoped<AuditTrail>();
        return services;
    }

    public static IServiceCollection AddLimits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<LimitsOptions>().Bind(configuration.GetSection(LimitsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<RateLimiter>();
        services.AddSingleton<Budgets>();
        services.AddSingleton(provider => new TaskAdmission(provider.GetRequiredService<IOptions<LimitsOptions>>().Value));
        services.AddScoped<BudgetStore>();
        services.AddScoped<UsageStore>();
        return services;
    }

    public static IServiceCollection AddBreakers(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<BreakersOptions>().Bind(configuration.GetSection(BreakersOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<BreakerRegister>();
        services.AddSingleton<CircuitBreakers>();
        services.AddSingleton<FlowControl>();
        services.AddScoped(provider => new AgentFlow(
            provider.GetRequiredService<Db>(), provider.GetRequiredService<AgentDirectory>(),
            provider.GetRequiredService<FlowControl>(), provider.GetRequiredService<IOptions<LimitsOptions>>().Value));
        services.AddSingleton<CallGuards>();
        return services;
    }

    public static IServiceCollection AddWorkflows(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<WorkflowsOptions>().Bind(configuration.GetSection(WorkflowsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
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

    public static IServiceCollection AddAlerts(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<MetricsOptions>().Bind(configuration.GetSection(MetricsOptions.Section))
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddScoped<MetricStore>();
        services.AddScoped<MetricRollup>();
        services.AddScoped<AlertStore>();
        services.AddScoped<AlertCourse>();
        services.AddScoped<AlertRuleStore>();
        services.AddScoped<DetectAnomalies>();
        services.AddScoped<PreviewRule>();
        return services;
    }

    public static IServiceCollection AddSignIn(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SignInOptions>().Bind(configuration.GetSection(SignInOptions.Section)).ValidateDataAnnotations()
            .Validate<IOptions<AuthOptions>>(
                (options, auth) => options.ClientId is null || auth.Value.Authority is not null,
                "SignIn:ClientId requires Auth:Authority, the provider where people sign in.")
            .ValidateOnStart();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<ProviderSignIn>();
        services.AddScoped<SessionRefresh>();
        return services;
    }

    public static IServiceCollection AddConsole(this IServiceCollection services)
    {
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<AttemptCookie>();
        services.AddScoped<SessionStore>();
        services.AddScoped<SessionStart>();
        services.AddScoped<SignInPages>();
        services.AddScoped<ConsolePages>();
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

    public static IServiceCollection AddOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<ApiDocument>();
        services.AddSingleton<ReferencePage>();
        return services;
    }
}
