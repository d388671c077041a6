using System.Buffers.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace ViralEngine.Core.Redis;

/// <summary>
/// Signs in to Azure Managed Redis with tokens of an Entra identity: a new connection uses the newest one, and open
/// connections are re-authenticated before their token expires, because the server closes connections with an expired
/// token.
/// </summary>
/// <remarks>The user name is the identity's object id, from the token's claim <c>oid</c>.</remarks>
public sealed partial class EntraRedisLogin(TokenCredential credential, TimeProvider time, ILogger logger)
    : AzureManagedRedisOptionsProvider, IDisposable
{
    /// <summary>The resource that a token for Redis is for.</summary>
    internal static readonly TokenRequestContext Scope = new(["https://redis.azure.com/.default"]);

    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stopping = new();

    // Called synchronously at each handshake; after the first time, the credential answers from its cache.
    public override string? User => ObjectId(credential.GetToken(Scope, stopping.Token).Token);

    public override string? Password => credential.GetToken(Scope, stopping.Token).Token;

    // Subscriptions share the commands' connection, so that only one must be re-authenticated.
    public override RedisProtocol? Protocol => RedisProtocol.Resp3;

    public override Task AfterConnectAsync(ConnectionMultiplexer multiplexer, Action<string> log)
    {
        _ = RenewAsync(multiplexer, stopping.Token);
        return base.AfterConnectAsync(multiplexer, log);
    }

    public void Dispose()
    {
        stopping.Cancel();
        stopping.Dispose();
    }

    private async Task RenewAsync(ConnectionMultiplexer multiplexer, CancellationToken ct)
    {
        // The first token may fail like any other, and is then requested again.
        AccessToken? known = null;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var used = known ??= await credential.GetTokenAsync(Scope, ct);
                await Task.Delay(Remaining(used), time, ct);
                var fresh = await credential.GetTokenAsync(Scope, ct);
                if (fresh.Token == used.Token)
                {
                    await Task.Delay(PauseAfterFailure, time, ct);
                    continue;
                }

                foreach (var server in multiplexer.GetServers().Where(server => server.IsConnected))
                    await server.ExecuteAsync("AUTH", ObjectId(fresh.Token), fresh.Token);
                known = fresh;
                LogRenewed(logger, fresh.ExpiresOn);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is AuthenticationFailedException or RedisException or TimeoutException)
            {
                LogNotRenewed(logger, e.Message);
                await Task.Delay(PauseAfterFailure, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private TimeSpan Remaining(AccessToken token)
    {
        var until = (
            token.RefreshOn ?? token.ExpiresOn) - time.GetUtcNow() - (token.RefreshOn is null ? Margin : default);
        return until > TimeSpan.Zero ? until : TimeSpan.Zero;
    }

    // Redis checks the signature; only the name is read here.
    internal static string ObjectId(string token)
    {
        if (token.Split('.') is not [_, var body, _])
            throw new FormatException("The token for Redis is not a JWT.");

        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body));
        return claims.RootElement.GetProperty("oid").GetString()
            ?? throw new FormatException("The token for Redis has no object id (claim oid).");
    }

    [LoggerMessage(1, LogLevel.Debug, "Redis sign-in renewed; the token expires at {End}")]
    private static partial void LogRenewed(ILogger logger, DateTimeOffset end);

    [LoggerMessage(2, LogLevel.Error, "Redis sign-in could not be renewed; trying again: {Reason}")]
    private static partial void LogNotRenewed(ILogger logger, string reason);
}
