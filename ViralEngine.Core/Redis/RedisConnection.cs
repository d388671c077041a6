using Azure.Core;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ViralEngine.Core.Redis;

/// <summary>
/// The connection to Redis, which is optional: <see cref="Database"/> is null while Redis is not configured or
/// unreachable. Callers must handle that. Reconnects automatically.
/// </summary>
public sealed partial class RedisConnection : IAsyncDisposable
{
    private readonly Lazy<ConnectionMultiplexer?> multiplexer;
    private readonly ILogger<RedisConnection> logger;
    private EntraRedisLogin? login;

    public RedisConnection(RedisSettings settings, ILogger<RedisConnection> logger)
    {
        this.logger = logger;
        multiplexer = new Lazy<ConnectionMultiplexer?>(() => Connect(settings));
    }

    /// <summary>Redis while it is reachable, else null.</summary>
    public IDatabase? Database => multiplexer.Value is { IsConnected: true } connected ? connected.GetDatabase() : null;

    /// <summary>Subscriptions survive a lost connection, but messages published meanwhile are lost.</summary>
    public ISubscriber? Subscriber => multiplexer.Value?.GetSubscriber();

    public bool IsConfigured => multiplexer.Value is not null;

    public async ValueTask DisposeAsync()
    {
        if (multiplexer.IsValueCreated && multiplexer.Value is { } opened)
            await opened.DisposeAsync();
        login?.Dispose();
    }

    private ConnectionMultiplexer? Connect(RedisSettings settings)
    {
        if (string.IsNullOrWhiteSpace(settings.ConnectionString))
            return null;

        var options = ConfigurationOptions.Parse(settings.ConnectionString);
        if (settings.Credential is { } credential)
            options.Defaults = login = new EntraRedisLogin(credential, TimeProvider.System, logger);
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 2000;
        options.SyncTimeout = 2000;
        options.AsyncTimeout = 2000;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.ReconnectRetryPolicy = new LinearRetry(500);
        options.ClientName = "viral-engine";
        var opened = ConnectionMultiplexer.Connect(options);
        opened.ConnectionFailed += (_, e) => LogLost(logger, e.FailureType.ToString());
        opened.ConnectionRestored += (_, _) => LogBack(logger);
        return opened;
    }

    [LoggerMessage(1, LogLevel.Warning, "Redis is unreachable ({Reason}): streams poll PostgreSQL until it returns")]
    private static partial void LogLost(ILogger logger, string reason);

    [LoggerMessage(2, LogLevel.Information, "Redis is reachable again")]
    private static partial void LogBack(ILogger logger);
}

/// <summary>
/// The Redis server and, on Azure, the Entra identity to sign in with. Without a connection string, the app runs
/// without Redis.
/// </summary>
public sealed record RedisSettings(string? ConnectionString, TokenCredential? Credential = null);
