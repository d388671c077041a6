using System.Buffers.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace ViralEngine.Core.Redis;

/// <summary>
/// Signs in to Azure Managed Redis with tokens of an Entra identity: a new connection takes the newest one, and those that
/// are open are signed in again before theirs ends, since the server cuts whoever's token has ended.
/// </summary>
/// <remarks>The login's name is the identity's object id, which the token itself tells (claim <c>oid</c>).</remarks>
public sealed partial class EntraRedisLogin(TokenCredential credential, TimeProvider time, ILogger logger)
    : AzureManagedRedisOptionsProvider, IDisposable
{
    /// <summary>The resource that a token for Redis is for.</summary>
    internal static readonly TokenRequestContext Scope = new(["https://redis.azure.com/.default"]);

    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stopping = new();

    // Asked for by the client at each handshake, which waits for no task; the credential answers from its cache but once.
    public override string? User => ObjectId(credential.GetToken(Scope, stopping.Token).Token);

    public override string? Password => credential.GetToken(Scope, stopping.Token).Token;

    // Subscriptions share the connection of the commands, so that there is one to sign in again.
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
        // The first token may fail as any other may, and is then asked for again.
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
        var until = (token.RefreshOn ?? token.ExpiresOn) - time.GetUtcNow() - (token.RefreshOn is null ? Margin : default);
        return until > TimeSpan.Zero ? until : TimeSpan.Zero;
    }

    // The signature is for Redis to check; here only the name is read.
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
