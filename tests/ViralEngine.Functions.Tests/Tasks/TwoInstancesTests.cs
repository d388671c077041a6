using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

/// <summary>
/// Any instance serves any request: streams, cancellations and work are not tied to the one that began them.
/// </summary>
public sealed class TwoInstancesTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // without Redis: slower, and the same
    public async Task Readers_before_during_and_after_have_the_same_events_on_any_instance(bool withRedis)
    {
        var settings = new AppSettings(postgres);
        await using var cluster = await AppCluster.StartAsync(withRedis ? settings : settings with { Redis = null }, 2);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        using var other = tenant.At(cluster[1]);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60 });
        var words = string.Join(' ', Enumerable.Range(1, 30));

        var id = await tenant.SubmitAsync(new
        {
            agent_id = agent,
            description = words,
            scheduled_at = DateTime.UtcNow.AddSeconds(1),
        });
        var before = ReadAsync(tenant.Owner, id, "stream-response");
        var beforeElsewhere = ReadAsync(other, id, "stream-response");
        var states = ReadAsync(other, id, "stream");
        await tenant.WaitForAsync(id, "in_progress");
        var during = ReadAsync(other, id, "stream-response");
        var cut = CutAndContinueAsync(tenant.Owner, other, id);
        await tenant.WaitForAsync(id, "completed");
        var after = ReadAsync(other, id, "stream-response");

        var expected = await before;
        Assert.Equal(31, expected.Count);
        Assert.Equal(Enumerable.Range(1, 31).Select(n => $"{n}"), expected.Select(e => e.Id));
        Assert.Equal(expected, await beforeElsewhere);
        Assert.Equal(expected, await during);
        Assert.Equal(expected, await after);
        Assert.Equal(expected, await cut);
        Assert.Equal(["task.created", "task.started", "task.completed"], (await states).Select(e => e.Type));
    }

    [Fact]
    public async Task Cancel_reaches_the_call_on_whichever_instance_it_runs()
    {
        await using var cluster = await AppCluster.StartAsync(new AppSettings(postgres), 2);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        using var other = tenant.At(cluster[1]);
        await CancelTimes.WithinASecondAsync(tenant, other, tasks: 9);
    }

    /// <summary>Reads ten events at one instance, hangs up, and goes on at the other.</summary>
    private static async Task<List<StreamEvent>> CutAndContinueAsync(ApiClient first, ApiClient second, string id)
    {
        var events = new List<StreamEvent>();
        await foreach (var item in first.StreamAsync($"/api/tasks/{id}/stream-response"))
        {
            events.Add(new StreamEvent(item.EventId!, item.EventType, item.Data));
            if (events.Count == 10)
                break;
        }

        await foreach (var item in second.StreamAsync($"/api/tasks/{id}/stream-response", events[^1].Id))
            events.Add(new StreamEvent(item.EventId!, item.EventType, item.Data));
        return events;
    }

    private static async Task<List<StreamEvent>> ReadAsync(ApiClient client, string id, string stream)
    {
        var events = new List<StreamEvent>();
        await foreach (var item in client.StreamAsync($"/api/tasks/{id}/{stream}"))
            events.Add(new StreamEvent(item.EventId!, item.EventType, item.Data));
        return events;
    }

    private sealed record StreamEvent(string Id, string Type, string Data);
}
