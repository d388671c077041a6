using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalHost.Hosting;
using ViralEngine.LocalHost.Timers;
using ViralEngine.LocalHost.Worker;

namespace ViralEngine.LocalHost.Http;

/// <summary>Adds the host's routes to the worker's own server, so that requests are not forwarded.</summary>
internal sealed class HttpFront : IStartupFilter
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        var services = HostProcess.Services;
        var functions = services.GetRequiredService<WorkerChannel>().Ready.WaitAsync(StartBound).GetAwaiter()
            .GetResult();
        services.GetRequiredService<TimerHost>().Load(functions.Values);
        var http = services.GetRequiredService<HttpFunctions>();
        var admin = services.GetRequiredService<AdminRoutes>();
        app.Use(worker =>
        {
            var front = app.New();
            front.UseRouting();
            // Routing substitutes its own endpoint for a wrong method; such a request is 404.
            front.Use(next => request =>
            {
                if (request.GetEndpoint() is { } found and not RouteEndpoint) request.SetEndpoint(null);
                return next(request);
            });
            front.UseEndpoints(endpoints =>
            {
                endpoints.DataSources.Add(new DefaultEndpointDataSource(http.Endpoints(functions.Values, worker)));
                admin.Map(endpoints, functions);
            });
            front.Run(request =>
            {
                request.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            });
            return front.Build();
        });
        next(app);
    };
}
