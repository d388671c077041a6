using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ViralEngine.Functions;
using ViralEngine.Functions.Audit;
using ViralEngine.Functions.Console;
using ViralEngine.Functions.Idempotency;
using ViralEngine.Functions.Limits;
using ViralEngine.Functions.Organizations;
using ViralEngine.Functions.Requests;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
AzureStart.Check(builder.Configuration, AppContext.BaseDirectory);

builder.UseWhen<EdgeMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<ConsoleMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<AuthenticationMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<RateLimitMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<AwakeMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<ShareMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<QueryMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<IdempotencyMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<BodyMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<FormMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<AuditMiddleware>(context => context.GetHttpContext() is not null);
builder.UseWhen<UnwrapMiddleware>(context => context.GetHttpContext() is not null);

builder.Services.TryAddSingleton(TimeProvider.System);
builder.Services.AddSingleton(Random.Shared);
builder.Services.Configure<JsonOptions>(options => ApiJson.Configure(options.SerializerOptions));
// each endpoint has its own
builder.Services.Configure<KestrelServerOptions>(options => options.Limits.MaxRequestBodySize = null);
builder.Services.Configure<KeyManagementOptions>(options =>
{
    options.XmlRepository = new KeysInMemory();
    options.XmlEncryptor = new NullXmlEncryptor();
});
builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(20));
builder.Services.AddSingleton<EndpointCatalog>();
builder.Services.AddViralEngine(builder.Configuration);

builder.Build().Run();
