using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ViralEngine.LocalHost.Hosting;
using ViralEngine.LocalHost.Http;

[assembly: HostingStartup(typeof(Attachment))]

namespace ViralEngine.LocalHost.Hosting;

/// <summary>Attaches this host to the app's web host, by the extension point that ASP.NET Core has for it.</summary>
public sealed class Attachment : IHostingStartup
{
    public void Configure(IWebHostBuilder builder) => builder.ConfigureServices(services =>
    {
        services.AddOptions<KestrelServerOptions>().Configure<IConfiguration>(ListenAddress.Apply);
        services.AddSingleton<IStartupFilter, HttpFront>();
        services.AddHostedService<Shutdown>();
        // The worker's own HTTP middleware is there already: ours is between it and the app's.
        var worker = services
            .Select(service => service.ImplementationInstance)
            .OfType<IFunctionsWorkerApplicationBuilder>()
            .FirstOrDefault()
            ?? throw new InvalidOperationException(
                "The app is not an isolated-worker app with ASP.NET Core. "
                + "It must call ConfigureFunctionsWebApplication().");
        worker.UseMiddleware<HttpFailures>();
    });
}
