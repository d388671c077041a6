using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ViralEngine.LocalRuntime.Tests.Hosting;

/// <summary>A functions app of the given classes on a free port, with a client and its error logs.</summary>
internal sealed class RunningApp : IAsyncDisposable
{
    private RunningApp(IHost host, HttpClient client, LogRecorder logs)
    {
        Host = host;
        Client = client;
        Logs = logs;
    }

    public IHost Host { get; }

    public HttpClient Client { get; }

    public LogRecorder Logs { get; }

    public static Task<RunningApp> StartAsync(params Type[] functions) => StartAsync(_ => { }, functions);

    public static async Task<RunningApp> StartAsync(
        Action<FunctionsApplicationBuilder> configure, Type[] functions, string? folder = null, params string[] args)
    {
        var logs = new LogRecorder();
        var builder = new FunctionsApplicationBuilder(
            ["--port", "0", .. args], folder ?? AppContext.BaseDirectory, functions);
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.ConfigureFunctionsWebApplication();
        configure(builder);

        var host = builder.Build();
        await host.StartAsync();
        var address = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new RunningApp(host, new HttpClient { BaseAddress = new Uri(address.Single()) }, logs);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Host.StopAsync();
        Host.Dispose();
    }
}
