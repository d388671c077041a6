using System.Net;
using System.Text.Json;
using StackExchange.Redis;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Streams;

/// <summary>What readers of streams get, whatever happens to Redis, to their place or to their key.</summary>
public sealed class StreamTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Theory]
    [InlineData("FLUSHALL")]
    [InlineData("KILL")]
    public async Task What_Redis_loses_no_reader_loses(string trouble)
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres) with { Redis = redis.ConnectionString });
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 50 });
        var words = string.Join(' ', Enumerable.Range(1, 60).Select(i => $"w{i:00}"));
        var id = await tenant.SubmitAsync(new { agent_id = agent, description = words });
        var read = new List<(int Id, string Type, string Text)>();

        var early = ReadAsync(tenant.Owner, id, item => read.Add(item));
        await Eventually.TrueAsync(() => read.Count(item => item.Type == "token") > 10, "the answer to be under way");
        await TroubleAsync(redis, trouble);
        var late = new List<(int Id, string Type, string Text)>();
        await ReadAsync(tenant.Owner, id, late.Add);
        await early;

        Assert.Equal(words, TextOf(read));
        Assert.Equal(words, TextOf(late));
        Assert.Equal(read.Select(item => item.Id).Order().Distinct(), read.Select(item => item.Id));
        Assert.Equal("done", read[^1].Type);
    }

    /// <summary>Those who wait for it get it from the database at once.</summary>
    [Fact]
    public async Task Only_an_answer_that_takes_its_time_is_written_to_Redis()
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres) with { Redis = redis.ConnectionString });
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 50 });

        var quick = new List<string>();
        for (var i = 0; i < 20; i++)
            quick.Add(await tenant.SubmitAsync(new { agent_id = "echo", description = "one two three" }));
        foreach (var id in quick)
            await tenant.WaitForAsync(id, "completed");
        var afterQuick = await AnswersInAsync(redis);
        await tenant.WaitForAsync(
            await tenant.SubmitAsync(new { agent_id = slow, description = "one two three" }), "completed");

        Assert.Equal((0, 1), (afterQuick, await AnswersInAsync(redis)));
    }

    [Theory]
    [InlineData("stream")]
    [InlineData("stream-response")]
    public async Task A_place_that_the_stream_does_not_have_is_answered_with_everything_from_the_start(string stream)
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var ended = await tenant.SubmitAsync(new { agent_id = "echo", description = "one two" });
        await tenant.WaitForAsync(ended, "completed");
        var waiting = await tenant.SubmitAsync(
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) });

        var all = await ItemsAsync(tenant.Owner.StreamAsync($"/api/tasks/{ended}/{stream}"));
        var again = await ItemsAsync(tenant.Owner.StreamAsync($"/api/tasks/{ended}/{stream}", lastEventId: "700"));
        var first = await tenant.Owner.StreamAsync($"/api/tasks/{waiting}/{stream}", lastEventId: "7").FirstAsync();
        var beyond = await tenant.Owner.StreamAsync($"/api/tasks/{waiting}/{stream}", lastEventId: "99999999999")
            .FirstAsync();

        Assert.Equal("reset", again[0].Type);
        Assert.Equal(all, again.Skip(1));
        Assert.Equal(("reset", "0"), (first.EventType, first.EventId));
        Assert.Equal(("reset", "0"), (beyond.EventType, beyond.EventId));
        using var place = new HttpRequestMessage(HttpMethod.Get, $"/api/tasks/{ended}/{stream}");
        place.Headers.TryAddWithoutValidation("Last-Event-ID", all[^1].Id);
        using var nothing = await tenant.Owner.OpenAsync(place, default);
        Assert.Equal(HttpStatusCode.NoContent, nothing.StatusCode);
    }

    [Theory]
    [InlineData("key")]
    [InlineData("membership")]
    [InlineData("organization")]
    public async Task A_stream_ends_when_who_reads_it_may_no_longer(string what)
    {
        await using var app = await AppProcess.StartAsync(
            new AppSettings(postgres).With("Edge:CallerCheckSeconds", "0.2"));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var task = await tenant.SubmitAsync(
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) });
        var made = (await tenant.Owner.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = "reader", role = "viewer" })).Json;
        using var reader = app.NewClient(made.GetProperty("key").GetString());
        var opened = new TaskCompletionSource();
        var reading = ReadAsync(reader, task, _ => opened.TrySetResult(), "stream");
        await opened.Task.WaitAsync(Eventually.Bound);

        switch (what)
        {
            case "key":
                (await tenant.Owner.DeleteAsync(
                    $"/api/organizations/{tenant.Id}/api-keys/{made.GetProperty("id").GetString()}"))
                    .Expect(HttpStatusCode.NoContent);
                break;
            case "membership":
                await using (var db = postgres.NewDb())
                {
                    await db.ExecuteAsync(
                        new TenantId(tenant.Id), "UPDATE viral.api_keys SET role = 'approver' WHERE name = 'reader'",
                        [], default);
                    await db.ExecuteAsync(
                        new TenantId(tenant.Id), "UPDATE viral.api_keys SET expires_at = now() WHERE name = 'reader'",
                        [], default);
                }

                break;
            default:
                (await tenant.Owner.DeleteAsync($"/api/organizations/{tenant.Id}")).Expect(HttpStatusCode.NoContent);
                break;
        }

        await reading.WaitAsync(Eventually.Bound);
    }

    [Fact]
    public async Task Without_Redis_one_statement_asks_for_all_streams_of_a_process()
    {
        const int Streams = 150;
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres) with { Redis = null });
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        using var stop = new CancellationTokenSource();
        var opened = 0;
        var tasks = new List<string>();
        for (var i = 0; i < Streams; i++)
        {
            tasks.Add(await tenant.SubmitAsync(
                new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) }));
        }

        var readers = new List<Task> { FollowAsync(tasks[0]) };
        var forOne = await StatementsOfFollowingAsync(1);
        readers.AddRange(tasks.Skip(1).Select(FollowAsync));
        var forAll = await StatementsOfFollowingAsync(Streams);

        // Each alone, they would take 150 times as many. Whether their callers may still read is looked at from time to
        // time.
        Assert.InRange(forAll, 0, Streams * forOne / 5);
        (await tenant.Owner.PostAsync($"/api/tasks/{tasks[7]}/cancel")).Expect(HttpStatusCode.OK);
        await Eventually.TrueAsync(() => readers[7].IsCompleted, "the stream of the cancelled task to end");
        await stop.CancelAsync();
        await Task.WhenAll(readers).ContinueWith(_ => { }, TaskScheduler.Default);

        async Task FollowAsync(string id)
        {
            await foreach (var _ in tenant.Owner.StreamAsync($"/api/tasks/{id}/stream", ct: stop.Token))
                Interlocked.Increment(ref opened);
        }

        async Task<long> StatementsOfFollowingAsync(int streams)
        {
            await Eventually.TrueAsync(() => opened == streams, "all streams to be open");
            // Each was looked at once more after it was opened; from then on only together.
            await Task.Delay(TimeSpan.FromSeconds(5));
            var before = await StatementsAsync();
            await Task.Delay(TimeSpan.FromSeconds(5));
            return await StatementsAsync() - before;
        }
    }

    private async Task<long> StatementsAsync()
    {
        await using var admin = new Npgsql.NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var command = new Npgsql.NpgsqlCommand(
            "SELECT pg_stat_clear_snapshot(), "
            + "(SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())",
            admin);
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return row.GetInt64(1);
    }

    private static async Task<int> AnswersInAsync(RedisProcess redis)
    {
        await using var reader = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        return await reader.GetServers()[0].KeysAsync(pattern: "viral:*:tokens:*").CountAsync();
    }

    private static async Task TroubleAsync(RedisProcess redis, string trouble)
    {
        if (trouble == "KILL")
        {
            await redis.KillAsync();
            await redis.RestartAsync();
            return;
        }

        var options = ConfigurationOptions.Parse(redis.ConnectionString);
        options.AllowAdmin = true;
        await using var admin = await ConnectionMultiplexer.ConnectAsync(options);
        await admin.GetServers()[0].FlushAllDatabasesAsync();
    }

    private static async Task ReadAsync(
        ApiClient client, string id, Action<(int Id, string Type, string Text)> take, string stream = "stream-response")
    {
        await foreach (var item in client.StreamAsync($"/api/tasks/{id}/{stream}"))
        {
            var text = JsonDocument.Parse(item.Data).RootElement.TryGetProperty("text", out var piece)
                ? piece.GetString()!
                : "";
            take((int.Parse(item.EventId!), item.EventType, text));
        }
    }

    private static async Task<List<(string? Id, string Type, string Data)>> ItemsAsync(
        IAsyncEnumerable<System.Net.ServerSentEvents.SseItem<string>> stream) =>
        await stream.Select(item => (item.EventId, item.EventType, item.Data)).ToListAsync();

    /// <summary>What a reader has put together: the text after the last reset.</summary>
    private static string TextOf(List<(int Id, string Type, string Text)> read) =>
        string.Concat(read.Skip(read.FindLastIndex(item => item.Type == "reset") + 1).Select(item => item.Text));
}
