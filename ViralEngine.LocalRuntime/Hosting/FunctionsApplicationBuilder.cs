using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalRuntime.Durable;
using ViralEngine.LocalRuntime.Hosting;
using ViralEngine.LocalRuntime.Http;
using ViralEngine.LocalRuntime.Timers;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Gathers configuration, services and middleware of a functions app.</summary>
public class FunctionsApplicationBuilder : IHostApplicationBuilder, IFunctionsWorkerApplicationBuilder
{
    private readonly WebApplicationBuilder web;
    private readonly List<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware = [];
    private bool built;

    /// <param name="args">Settings from the command line.</param>
    /// <param name="folder">The app's folder, where host.json and appsettings.json are.</param>
    /// <param name="types">The types that are searched for functions.</param>
    internal FunctionsApplicationBuilder(string[] args, string folder, IEnumerable<Type> types)
    {
        web = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = folder });
        // Weakest of all settings: requests are logged only where someone asks for it.
        ((IConfigurationBuilder)web.Configuration).Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = [new("Logging:LogLevel:Microsoft.AspNetCore", nameof(LogLevel.Warning))],
        });
        web.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

        Catalog = new FunctionCatalog(types);
        Services.AddRouting();
        Services.TryAddSingleton(TimeProvider.System);
        Services.AddSingleton(Catalog);
        Services.AddSingleton(HostJson.Read(folder));
        Services.AddSingleton(new FunctionPipeline.Parts(middleware));
        Services.AddSingleton<FunctionPipeline>();
        Services.AddSingleton<DrainToken>();
        Services.AddSingleton<FunctionRunner>();
        Services.AddSingleton<FunctionKey>();
        Services.AddSingleton<HttpFunctions>();
        if (Catalog.Has<TimerTriggerAttribute>())
            Services.AddLocalTimers();
        if (Catalog.IsDurable)
            Services.AddSingleton<IDurableCode, DurableFunctions>().AddLocalDurable();
    }

    public IDictionary<object, object> Properties => ((IHostApplicationBuilder)web).Properties;

    IConfigurationManager IHostApplicationBuilder.Configuration => Configuration;

    public ConfigurationManager Configuration => web.Configuration;

    public IHostEnvironment Environment => web.Environment;

    public ILoggingBuilder Logging => web.Logging;

    public IMetricsBuilder Metrics => web.Metrics;

    public IServiceCollection Services => web.Services;

    internal FunctionCatalog Catalog { get; }

    /// <summary>Set once the app has asked for requests as <c>HttpContext</c>.</summary>
    internal bool ServesHttp { get; set; }

    /// <summary>Ends the building. May be called once.</summary>
    /// <exception cref="InvalidOperationException">Called again, or a function cannot be hosted as it is.</exception>
    public IHost Build()
    {
        ThrowIfBuilt();
        if (!ServesHttp && Catalog.Has<HttpTriggerAttribute>())
            throw new InvalidOperationException("The app has HTTP triggers: call ConfigureFunctionsWebApplication().");
        built = true;
        if (Catalog.Functions.Any(HttpResults.IsActionResult))
            Services.AddMvcCore();

        var app = web.Build();
        app.Services.GetRequiredService<HttpFunctions>().Map(app);
        ListenAddress.Apply(app);
        return app;
    }

    public void ConfigureContainer<TContainerBuilder>(
        IServiceProviderFactory<TContainerBuilder> factory,
        Action<TContainerBuilder>? configure = null)
        where TContainerBuilder : notnull =>
        ((IHostApplicationBuilder)web).ConfigureContainer(factory, configure);

    public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware)
    {
        ThrowIfBuilt();
        this.middleware.Add(middleware);
        return this;
    }

    private void ThrowIfBuilt()
    {
        if (built)
            throw new InvalidOperationException("The application has already been built.");
    }
}
