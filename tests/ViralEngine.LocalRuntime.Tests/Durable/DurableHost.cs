using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalRuntime.Durable;

namespace ViralEngine.LocalRuntime.Tests.Durable;

/// <summary>One process's engine, started on a database that may have others.</summary>
internal sealed class DurableHost : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly IHost host;

    private DurableHost(IHost host) => this.host = host;

    public DurableTaskClient Client => host.Services.GetRequiredService<DurableTaskClient>();

    public IServiceProvider Services => host.Services;

    public static async Task<DurableHost> StartAsync(
        string connectionString,
        IDurableCode code,
        Action<DurableOptions>? configure = null,
        ILoggerProvider? logs = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Postgres", connectionString)]);
        builder.Services.AddSingleton(code);
        builder.Services.AddLocalDurable();
        if (configure is not null) builder.Services.Configure(configure);
        if (logs is not null) builder.Logging.AddProvider(logs);
        var host = builder.Build();
        await host.StartAsync();
        return new(host);
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
            if (await Client.GetInstanceAsync(instanceId, true, limit.Token) is { } found && reached(found)) return found;
            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>
    /// Cuts the engine off from its database without a word, as a killed process is: no lease renewed or given back.
    /// </summary>
    public ValueTask CutAsync() => Services.GetRequiredService<DurableDatabase>().DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
