using System.Globalization;
using Azure.Identity;
using Garnet;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;
using ViralEngine.Core.Redis;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Identity;

/// <summary>
/// A token takes the place of a password, against a real Redis-protocol server with users of its own.
/// </summary>
public sealed class EntraRedisLoginTests : IAsyncLifetime, IDisposable
{
    private const string ObjectId = "0b5e7e0c-7a5e-4d58-9f1e-2f1f4d9c1111";
    private const string AdminPassword = "admin";

    private readonly int port = FreePort.Take();
    private readonly string rules = Path.GetTempFileName();
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    private readonly FakeIdentity identity;
    private readonly EntraRedisLogin login;
    private GarnetServer server = null!;
    private ConnectionMultiplexer admin = null!;

    public EntraRedisLoginTests()
    {
        identity = new FakeIdentity(time);
        login = new EntraRedisLogin(identity, time, NullLogger.Instance);
    }

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(rules, $"user default on >{AdminPassword} ~* +@all\n");
        server = new GarnetServer(
        [
            "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--auth", "ACL",
            "--acl-file", rules, "--memory", "16m", "--page", "1m", "--index", "1m", "--logger-level", "Error", "-q",
        ]);
        server.Start();
        admin = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},password={AdminPassword},allowAdmin=true");
        await AcceptAsync(identity.Issue(ObjectId));
    }

    public async Task DisposeAsync()
    {
        await admin.DisposeAsync();
        File.Delete(rules);
    }

    public void Dispose()
    {
        login.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task Signs_in_as_the_object_that_the_token_names()
    {
        await using var redis = await ConnectAsync();

        Assert.Equal(ObjectId, (await redis.GetDatabase().ExecuteAsync("ACL", "WHOAMI")).ToString());
        Assert.Equal(["https://redis.azure.com/.default"], identity.Scopes);
    }

    [Fact]
    public async Task Signs_open_connections_in_again_before_their_token_ends()
    {
        await using var redis = await ConnectAsync();
        var session = new ProfilingSession();
        redis.RegisterProfiler(() => session);

        await AcceptAsync(identity.Issue(ObjectId));
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(10));
                return session.FinishProfiling().Any(command => command.Command == "AUTH");
            },
            "an AUTH on the open connection");

        Assert.Equal(ObjectId, (await redis.GetDatabase().ExecuteAsync("ACL", "WHOAMI")).ToString());
    }

    [Fact]
    public async Task Leaves_connections_alone_while_their_token_holds()
    {
        await using var redis = await ConnectAsync();
        var session = new ProfilingSession();
        redis.RegisterProfiler(() => session);

        identity.Issue(ObjectId);
        time.Advance(TimeSpan.FromMinutes(50));
        await redis.GetDatabase().PingAsync();

        Assert.DoesNotContain(session.FinishProfiling(), command => command.Command == "AUTH");
    }

    [Fact]
    public async Task Tries_again_when_the_identity_was_away()
    {
        await using var redis = await ConnectAsync();
        var session = new ProfilingSession();
        redis.RegisterProfiler(() => session);

        identity.Fail(new CredentialUnavailableException("the identity endpoint is away"));
        time.Advance(FakeIdentity.Life);
        await redis.GetDatabase().PingAsync();
        await AcceptAsync(identity.Issue(ObjectId));
        identity.Fail(null);

        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return session.FinishProfiling().Any(command => command.Command == "AUTH");
            },
            "an AUTH after the identity came back");
    }

    [Fact]
    public async Task Goes_on_renewing_when_the_first_token_could_not_be_had()
    {
        identity.FailOnceWhenAwaited(new CredentialUnavailableException("the identity endpoint is away"));
        await using var redis = await ConnectAsync();
        var session = new ProfilingSession();
        redis.RegisterProfiler(() => session);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(10));
                return identity.Awaited > 1;
            },
            "a second try");

        await AcceptAsync(identity.Issue(ObjectId));

        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return session.FinishProfiling().Any(command => command.Command == "AUTH");
            },
            "an AUTH with the next token");
    }

    [Fact]
    public async Task Comes_back_with_the_newest_token_after_the_connection_was_cut()
    {
        await using var redis = await ConnectAsync();
        var cut = new TaskCompletionSource();
        redis.ConnectionFailed += (_, _) => cut.TrySetResult();
        await AcceptAsync(identity.Issue(ObjectId));

        await admin.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "yes");

        await cut.Task.WaitAsync(Eventually.Bound);
        await Eventually.TrueAsync(() => redis.IsConnected && GetsThrough(redis), "the connection to return");
    }

    [Theory]
    [InlineData("not a token")]
    [InlineData("e30.e30.c2ln")]
    public void Refuses_what_is_no_token(string token) =>
        Assert.ThrowsAny<Exception>(() => EntraRedisLogin.ObjectId(token));

    private static bool GetsThrough(ConnectionMultiplexer redis)
    {
        try
        {
            return redis.GetDatabase().Ping() >= TimeSpan.Zero;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        var options = ConfigurationOptions.Parse($"127.0.0.1:{port},ssl=false,abortConnect=true");
        options.Defaults = login;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    // The server takes this token, and no other, from now on.
    private async Task AcceptAsync(string token) =>
        await admin.GetServers()[0].ExecuteAsync("ACL", "SETUSER", ObjectId, "reset", "on", ">" + token, "~*", "+@all");
}
