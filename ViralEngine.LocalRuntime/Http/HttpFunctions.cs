using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using ViralEngine.LocalRuntime.Hosting;
using ViralEngine.LocalRuntime.Timers;

namespace ViralEngine.LocalRuntime.Http;

/// <summary>Maps the app's HTTP functions to routes. Whatever no function answers, a known route with another method
/// included, is 404.</summary>
internal sealed class HttpFunctions(FunctionCatalog catalog, FunctionRunner runner, FunctionKey key, HostJson host)
{
    public void Map(WebApplication app)
    {
        ((IEndpointRouteBuilder)app).DataSources.Add(new DefaultEndpointDataSource(Endpoints()));
        if (app.Services.GetService<TimerAdmin>() is { } timers)
            app.MapPost(TimerAdmin.Route, timers.AnswerAsync);
        app.UseRouting();
        app.Run(AnswerAsync);
    }

    private static Task AnswerAsync(HttpContext request)
    {
        // The endpoint that routing substitutes for a wrong method is none of ours.
        if (request.GetEndpoint() is RouteEndpoint { RequestDelegate: { } answer })
            return answer(request);
        request.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private IEnumerable<Endpoint> Endpoints()
    {
        foreach (var function in catalog.Functions)
        {
            if (function.Trigger is not HttpTriggerAttribute trigger)
                continue;
            var route = RoutePatternFactory.Parse($"{host.RoutePrefix}/{trigger.Route?.Trim('/') ?? function.Name}");
            var endpoint = new RouteEndpointBuilder(
                new HttpInvocation(function, trigger.AuthLevel, runner, key).AnswerAsync, route, order: 0)
            {
                DisplayName = function.Name,
            };
            if (trigger.Methods is { Length: > 0 } methods)
                endpoint.Metadata.Add(new HttpMethodMetadata(methods));
            yield return endpoint.Build();
        }
    }
}
