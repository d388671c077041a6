using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ViralEngine.Core.Storage;
using ViralEngine.Functions.Tests.Batches;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>Clients and providers that take their time hold nothing that others need.</summary>
public sealed class SlowClientTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    /// <summary>More than the app has connections to PostgreSQL.</summary>
    private const int Many = 45;

    [Theory]
    [InlineData("POST /api/tasks", "application/json", true)]
    [InlineData("POST /api/tasks", "application/json", false)]
    [InlineData("POST /api/webhooks", "application/json", false)] // audited
    [InlineData("POST /api/batches", "application/json", true)]
    [InlineData("POST /api/batches?name=n&agent_id=echo", "application/x-ndjson", false)]
    public async Task Bodies_that_do_not_come_hold_no_connection_to_the_database(
        string request, string contentType, bool hasKey)
    {
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres).With("Edge:BodyGraceSeconds", "60"));
        using var noisy = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var quiet = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var slow = new List<TcpClient>();
        for (var i = 0; i < Many; i++)
            slow.Add(await BeginAsync(
                app, $"{request} HTTP/1.1", noisy.OwnerKey, contentType, hasKey ? $"Idempotency-Key: k{i}\r\n" : ""));

        await Eventually.TrueAsync(async () => await InTransactionAsync() == 0, "no transaction to be open");
        (await quiet.Owner.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" }))
            .Expect(HttpStatusCode.Created);
        (await noisy.Owner.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" }))
            .Expect(HttpStatusCode.Created);
        (await quiet.Owner.GetAsync("/api/health/ready")).Expect(HttpStatusCode.OK);
        await Eventually.TrueAsync(async () => await InTransactionAsync() == 0, "no transaction to be open still");

        slow.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_body_that_comes_too_slowly_is_refused_with_408_and_leaves_nothing()
    {
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres).With("Edge:BodyGraceSeconds", "0.5").With("Edge:MinBodyBytesPerSecond", "100000")
                // The server's own word for a connection that is of no more use.
                .Expecting("automatic draining of the request body failed"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        foreach (var request in new[] { "POST /api/tasks", "POST /api/batches?name=n&agent_id=echo" })
        {
            using var client = await BeginAsync(
                app, $"{request} HTTP/1.1", tenant.OwnerKey, "application/x-ndjson", "");

            var answer = await ReadAsync(client);

            Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
            Assert.Contains("body-too-slow", answer, StringComparison.Ordinal);
            Assert.Contains("Connection: close", answer, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Empty((await tenant.Owner.GetAsync("/api/batches")).Json.GetProperty("batches").EnumerateArray());
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM viral.batch_items", tenant));
    }

    [Fact]
    public async Task Readers_of_results_who_do_not_read_hold_no_connection_to_the_database()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var noisy = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var quiet = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var words = new string('w', 20_000);
        var batch = await noisy.Owner.SubmitBatchAsync(
            new
            {
                name = "large",
                agent_id = "echo",
                items = Enumerable.Range(0, 400).Select(i => new { description = $"{i} {words}" })
            });
        await noisy.Owner.WaitForBatchAsync(batch, "completed");

        var slow = new List<TcpClient>();
        for (var i = 0; i < Many; i++)
            slow.Add(await BeginAsync(
                app, $"GET /api/batches/{batch}/results HTTP/1.1", noisy.OwnerKey, "application/json", "", length: 0));
        await Eventually.TrueAsync(async () => await InTransactionAsync() == 0, "no transaction to be open");

        (await quiet.Owner.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" }))
            .Expect(HttpStatusCode.Created);
        (await noisy.Owner.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK);
        await Eventually.TrueAsync(async () => await InTransactionAsync() == 0, "no transaction to be open still");
        slow.ForEach(client => client.Dispose());
        Assert.Equal(400, (await noisy.Owner.ResultsAsync(batch)).Count);
    }

    [Fact]
    public async Task An_agent_that_does_not_answer_its_test_holds_no_connection_to_the_database()
    {
        var asked = 0;
        var answers = new TaskCompletionSource();
        await using var agent = await LoopbackServer.StartAsync(async _ =>
        {
            Interlocked.Increment(ref asked);
            await answers.Task;
        });
        await using var app = await AppProcess.StartAsync(postgres);
        using var noisy = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var quiet = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var id = (await noisy.Owner.PostAsync(
            "/api/agents", new { name = "slow", kind = "http", settings = new { url = agent.Url } }))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();

        var tests = Enumerable.Range(0, Many)
            .Select(i => noisy.Owner.PostAsync(
                $"/api/agents/{id}/test", new { description = "x" }, ("Idempotency-Key", $"k{i}")))
            .ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) >= Many, "the agent to be asked by all");

        (await quiet.Owner.PostAsync("/api/tasks", new { agent_id = "echo", description = "x" }))
            .Expect(HttpStatusCode.Created);
        await Eventually.TrueAsync(async () => await InTransactionAsync() == 0, "no transaction to be open still");
        answers.SetResult();
        await Task.WhenAll(tests);
        var again = await noisy.Owner.PostAsync(
            $"/api/agents/{id}/test", new { description = "x" }, ("Idempotency-Key", "k0"));
        Assert.Equal("true", again.Header("x-idempotent-replayed"));
        Assert.Equal(Many, asked);
    }

    private static async Task<TcpClient> BeginAsync(
        AppProcess app, string requestLine, string key, string contentType, string headers, int length = 100_000)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, app.Port);
        var body = length == 0
            ? ""
            : $"Content-Type: {contentType}\r\nContent-Length: {length.ToString(CultureInfo.InvariantCulture)}\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"{requestLine}\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{body}{headers}\r\n"
            + $"{(length == 0 ? "" : "{\"description\":\"")}"));
        return client;
    }

    private static async Task<string> ReadAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync().WaitAsync(Eventually.Bound);
    }

    /// <summary>Connections of the app that are inside a transaction now and wait for the app.</summary>
    private async Task<long> InTransactionAsync()
    {
        await using var admin = new Npgsql.NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var command = new Npgsql.NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity "
            + "WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
            admin);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<long> CountAsync(string sql, TestTenant tenant)
    {
        await using var db = postgres.NewDb();
        return await db.QueryOneAsync(new TenantId(tenant.Id), sql, [], row => row.GetInt64(0), default);
    }
}
