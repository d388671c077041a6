using System.Collections.Concurrent;
using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Idempotency;

/// <summary>
/// One key from many connections to three instances, while they and Redis are killed: one effect, whatever happens.
/// </summary>
public sealed class IdempotencyUnderFireTests(IdempotencyUnderFireTests.Servers servers)
    : IClassFixture<IdempotencyUnderFireTests.Servers>
{
    private const int Connections = 50;
    private const int Requests = 1_000;
    private const int BeatMs = 250;

    private readonly AppCluster cluster = servers.Cluster;

    [Fact]
    public async Task Creates_one_task()
    {
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey, "free");
        var body = new { agent_id = "echo", description = "once" };

        await ProveOneEffectAsync(
            tenant,
            (api, key) => api.PostAsync("/api/tasks", body, ("Idempotency-Key", key)),
            async (api, keys) => Assert.Equal(keys, (await api.ListAsync("/api/tasks", "tasks")).Count));
    }

    [Fact]
    public async Task Submits_a_batch_once()
    {
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey, "free");
        var body = new
        {
            name = "b",
            agent_id = "echo",
            items = Enumerable.Range(1, 5).Select(i => new { description = $"item {i}" }).ToArray()
        };

        await ProveOneEffectAsync(
            tenant,
            (api, key) => api.PostAsync("/api/batches", body, ("Idempotency-Key", key)),
            async (api, keys) => Assert.Equal(keys, (await api.ListAsync("/api/batches", "batches")).Count));
    }

    [Fact]
    public async Task Replaces_an_agent_once()
    {
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey, "free");
        using var owner = cluster[0].NewClient(tenant.OwnerKey);
        var path = (await owner.PostAsync("/api/agents", new { name = "a", kind = "echo" })).Header("Location")!;

        await ProveOneEffectAsync(
            tenant,
            (api, key) => api.PutAsync(path, new { name = "b", kind = "echo" }, ("Idempotency-Key", key)),
            async (_, keys) => Assert.Equal(1 + keys, await VersionAsync()));

        Task<int> VersionAsync() => QueryAsync("SELECT version FROM viral.agents");
    }

    /// <summary>
    /// One key all the time, and one after the other a new one each round, so that first requests die too.
    /// </summary>
    private async Task ProveOneEffectAsync(
        TestTenant tenant, Func<ApiClient, string, Task<ApiResponse>> sendAsync, Func<ApiClient, int, Task> checkAsync)
    {
        var answers = new ConcurrentDictionary<string, ConcurrentBag<ApiResponse>>();
        var random = new Random(20261128);
        var round = 0;
        var sent = 0;
        using var chaosOver = new CancellationTokenSource();

        var senders = Enumerable.Range(0, Connections).Select(SendAsync).ToArray();
        for (var i = 0; i < 3; i++)
        {
            var victim = cluster[i];
            Interlocked.Increment(ref round);
            await NextBeatAsync();
            await Task.Delay(random.Next(40)); // a random moment while requests are under way
            await victim.KillAsync();
            if (i == 1)
                await servers.Redis.RestartAsync();
            await victim.RestartAsync();
        }

        await chaosOver.CancelAsync();
        await Task.WhenAll(senders);

        var api = tenant.Owner;
        foreach (var (key, given) in answers)
        {
            var final = await Eventually.GetAsync(
                () => sendAsync(api, key), answer => answer.Status != HttpStatusCode.Conflict,
                "the key to be answered");
            Assert.InRange((int)final.Status, 200, 299);
            foreach (var answer in given.Where(answer => answer.Status != HttpStatusCode.Conflict))
            {
                Assert.Equal(final.Status, answer.Status);
                Assert.Equal(final.Bytes, answer.Bytes);
                Assert.Equal(final.Header("Location"), answer.Header("Location"));
            }
        }

        Assert.Contains(answers["key-0"], answer => answer.Status != HttpStatusCode.Conflict);
        await checkAsync(api, answers.Count);

        async Task SendAsync(int number)
        {
            await Task.Yield();
            var clients = cluster.Instances.Select(instance => instance.NewClient(tenant.OwnerKey)).ToArray();
            for (var i = number; !chaosOver.IsCancellationRequested || Volatile.Read(ref sent) < Requests; i++)
            {
                var key = i % 2 == 0 ? "key-0" : $"key-{Volatile.Read(ref round)}";
                try
                {
                    var answer = await sendAsync(clients[i % 3], key);
                    answers.GetOrAdd(key, _ => []).Add(answer);
                }
                catch (HttpRequestException)
                {
                    // The instance is dead. Its neighbours go on.
                }

                if (key == "key-0")
                    Interlocked.Increment(ref sent);
                await NextBeatAsync();
            }

            foreach (var client in clients)
                client.Dispose();
        }
    }

    /// <summary>
    /// All connections send at once, so that requests with one key meet, and rest until then: what was killed starts
    /// meanwhile.
    /// </summary>
    private static Task NextBeatAsync() => Task.Delay((int)(BeatMs - (Environment.TickCount64 % BeatMs)));

    private async Task<int> QueryAsync(string sql)
    {
        await using var dataSource = Npgsql.NpgsqlDataSource.Create(servers.Postgres.AdminConnection);
        await using var command = dataSource.CreateCommand(sql);
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public sealed class Servers : IAsyncLifetime
    {
        public TestPostgres Postgres { get; } = new();

        public RedisProcess Redis { get; private set; } = null!;

        public AppCluster Cluster { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await Postgres.InitializeAsync();
            Redis = await RedisProcess.StartAsync();
            Cluster = await AppCluster.StartAsync(new AppSettings(Postgres) { Redis = Redis.ConnectionString }, 3);
        }

        public async Task DisposeAsync()
        {
            await Cluster.DisposeAsync();
            await Redis.DisposeAsync();
            await Postgres.DisposeAsync();
        }
    }
}
