using System.Net;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Client.Grpc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ViralEngine.LocalHost.Durable;

namespace ViralEngine.LocalHost.Tests.Durable;

/// <summary>One process's engine, on a database that may have others, and the real client that calls it.</summary>
internal sealed class DurableHost : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WebApplication host;
    private readonly GrpcChannel channel;

    private DurableHost(WebApplication host)
    {
        this.host = host;
        channel = GrpcChannel.ForAddress(host.Urls.Single());
        Client = NewClient(host.Services.GetRequiredService<ClientKey>().Value);
    }

    public DurableTaskClient Client { get; }

    public IServiceProvider Services => host.Services;

    public static async Task<DurableHost> StartAsync(
        string connectionString, IDurableCode code, Action<DurableOptions>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Postgres", connectionString)]);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<ClientKey>();
        builder.Services.AddSingleton(code);
        builder.Services.AddLocalDurable();
        if (configure is not null) builder.Services.Configure(configure);
        var host = builder.Build();
        host.MapGrpcService<DurableService>();
        await host.StartAsync();
        return new(host);
    }

    /// <summary>A client that gives the key, or none.</summary>
    public DurableTaskClient NewClient(string? key)
    {
        var calls = channel.CreateCallInvoker().Intercept(metadata =>
        {
            if (key is not null) metadata.Add(ClientKey.Header, key);
            return metadata;
        });
        return new GrpcDurableTaskClient("test", new() { CallInvoker = calls }, NullLogger.Instance);
    }

    /// <summary>Starts an orchestration and returns it when it has finished.</summary>
    public async Task<OrchestrationMetadata> RunAsync(string name, object? input = null, string? instanceId = null)
    {
        var id = await Client.ScheduleNewOrchestrationInstanceAsync(
            name,
            input,
            instanceId is null ? null : new StartOrchestrationOptions(instanceId));
        return await FinishedAsync(id);
    }

    public async Task<OrchestrationMetadata> FinishedAsync(string instanceId)
    {
        using var limit = new CancellationTokenSource(Patience);
        return await Client.WaitForInstanceCompletionAsync(instanceId, true, limit.Token);
    }

    /// <summary>Waits until the instance is as wanted.</summary>
    public async Task<OrchestrationMetadata> UntilAsync(string instanceId, Func<OrchestrationMetadata, bool> reached)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (await Client.GetInstanceAsync(instanceId, true, limit.Token) is { } found && reached(found))
                return found;
            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>
    /// Cuts the engine off from its database without a word, as a killed process is: no lease renewed or given back.
    /// </summary>
    public ValueTask CutAsync() => Services.GetRequiredService<DurableDatabase>().DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await host.StopAsync();
        await host.DisposeAsync();
    }
}
