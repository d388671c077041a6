using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ViralEngine.Functions;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Idempotency;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;
using ViralEngine.Functions.Telemetry;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();

builder.UseWhen<EdgeMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<AuthenticationMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<RateLimitMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<IdempotencyMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<AuditMiddleware>(context => context.GetHttpContext() is not null);

builder.Services.TryAddSingleton(TimeProvider.System);
builder.Services.Configure<JsonOptions>(options => ApiJson.Configure(options.SerializerOptions));
builder.Services.Configure<KestrelServerOptions>(options => options.Limits.MaxRequestBodySize = null); // each endpoint has its own
builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(20));
builder.Services.AddSingleton<EndpointCatalog>();
builder.Services
    .AddTelemetry(builder.Configuration)
    .AddStorage(builder.Configuration)
    .AddOrganizations(builder.Configuration)
    .AddAgents(builder.Configuration)
    .AddTasks()
    .AddIdempotency(builder.Configuration)
    .AddAudit(builder.Configuration)
    .AddBatches(builder.Configuration)
    .AddRetention(builder.Configuration)
    .AddWorkflows(builder.Configuration)
    .AddWebhooks(builder.Configuration)
    .AddLimits(builder.Configuration)
    .AddBreakers(builder.Configuration)
    .AddOpenApi();

builder.Build().Run();
