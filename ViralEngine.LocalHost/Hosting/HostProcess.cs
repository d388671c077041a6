using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ViralEngine.LocalHost.Durable;
using ViralEngine.LocalHost.Http;
using ViralEngine.LocalHost.Timers;
using ViralEngine.LocalHost.Worker;

namespace ViralEngine.LocalHost.Hosting;

/// <summary>
/// The host in its worker's process. It has services of its own, apart from the app's, and listens on loopback before
/// the app begins; the app's web host finds it by <see cref="Attachment"/>.
/// </summary>
internal static partial class HostProcess
{
    // Kestrel warns that the addresses given by code win over those of the environment: that is how the app gets the
    // latter.
    private static readonly KeyValuePair<string, string?>[] QuietUnlessAsked =
    [
        new("Logging:LogLevel:Microsoft", nameof(LogLevel.Warning)),
        new("Logging:LogLevel:Microsoft.AspNetCore", nameof(LogLevel.Warning)),
        new("Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel", nameof(LogLevel.Error)),
        new("Logging:LogLevel:Grpc", nameof(LogLevel.Warning)),
    ];

    /// <summary>The host's own services.</summary>
    public static IServiceProvider Services { get; private set; } =
        new ServiceCollection().BuildServiceProvider();

    /// <summary>Starts the host, and tells the worker by its environment where to find it.</summary>
    public static void Start()
    {
        var folder = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        var app = Build(folder, HostJson.Read(folder));
        Services = app.Services;
        // The engine and the timers start with the app, when it has told its functions: here only the worker's server
        // does.
        app.StartAsync().GetAwaiter().GetResult();
        var identity = Services.GetRequiredService<WorkerIdentity>();
        foreach (var (name, value) in identity.Environment(Services.GetRequiredService<HostEndpoint>().Address))
            Environment.SetEnvironmentVariable(name, value);
        Add("ASPNETCORE_HOSTINGSTARTUPASSEMBLIES", typeof(Attachment).Assembly.GetName().Name!);
        // Each worker log line is sent to the host; ASP.NET Core's lines per request would cost more than the request.
        SetUnlessGiven("Logging__LogLevel__Microsoft", nameof(LogLevel.Warning));
        SetUnlessGiven("Logging__LogLevel__Microsoft__AspNetCore", nameof(LogLevel.Warning));
        foreach (var setting in Services.GetRequiredService<HostJson>().Ignored)
            LogIgnored(Services.GetRequiredService<ILogger<HostJson>>(), setting);
    }

    private static WebApplication Build(string folder, HostJson hostJson)
    {
        // Settings come only from the environment; arguments and files belong to the app.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(HostProcess).Assembly.GetName().Name,
            ContentRootPath = folder,
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(QuietUnlessAsked).AddInMemoryCollection(hostJson.Settings)
            .AddEnvironmentVariables();
        var endpoint = new HostEndpoint();
        builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, "");
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, endpoint.Port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = options.MaxSendMessageSize = null;
            options.Interceptors.Add<AwayInterceptor>();
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, AppLifetime>());
        builder.Services.AddSingleton(hostJson);
        builder.Services.AddSingleton(endpoint);
        builder.Services.AddSingleton(new WorkerIdentity(folder));
        builder.Services.AddSingleton<WorkerLog>();
        builder.Services.AddSingleton<WorkerChannel>();
        builder.Services.AddSingleton<FunctionRpcService>();
        builder.Services.AddSingleton<Invocations>();
        builder.Services.AddSingleton<ClientKey>();
        builder.Services.AddSingleton<FunctionKey>();
        builder.Services.AddSingleton<RequestLimit>();
        builder.Services.AddSingleton<HttpFunctions>();
        builder.Services.AddSingleton<AdminRoutes>();
        builder.Services.AddSingleton<IDurableCode, WorkerCode>();
        builder.Services.AddLocalDurable();
        builder.Services.AddLocalTimers();
        var app = builder.Build();
        app.MapGrpcService<FunctionRpcService>();
        app.MapGrpcService<DurableService>();
        return app;
    }

    private static void SetUnlessGiven(string name, string value)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))) Environment.SetEnvironmentVariable(
            name, value);
    }

    private static void Add(string name, string value)
    {
        var given = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, string.IsNullOrEmpty(given) ? value : $"{given};{value}");
    }

    [LoggerMessage(LogLevel.Warning, "host.json: '{Setting}' has no effect under the local host.")]
    private static partial void LogIgnored(ILogger logger, string setting);

    /// <summary>The app ends the process and handles signals.</summary>
    private sealed class AppLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
