using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

[Trait("Category", "BlackBox")]
public sealed class LateReaderTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    public static TheoryData<string, string, int, string> Tasks => new()
    {
        {
            "an attempt fails, the next answers",
            """{"fail_with":"unavailable","fail_first_attempts":1,"fail_after_chunks":2,"delay_ms_per_chunk":30}""",
            3,
            "token:1 token:2 reset:3 token:4 token:5 token:6 token:7 done:8"
        },
        {
            "all attempts fail",
            """{"fail_with":"unavailable","fail_after_chunks":2,"delay_ms_per_chunk":30}""",
            2,
            "token:1 token:2 reset:3 token:4 token:5 done:6"
        },
        {
            "the first fails before it said anything",
            """{"fail_with":"unavailable","fail_first_attempts":1,"delay_ms_per_chunk":30}""",
            3,
            "token:1 token:2 token:3 token:4 done:5"
        },
    };

    [Theory]
    [MemberData(nameof(Tasks))]
    public async Task Who_reads_later_gets_the_same_events(string what, string settings, int attempts, string expected)
    {
        using var tenant = await app.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(JsonElement.Parse(settings));
        var id = await tenant.SubmitAsync(
            new { agent_id = agent, description = "one two three four", max_attempts = attempts });

        var live = await ReadAsync(tenant, id);
        var late = await ReadAsync(tenant, id);
        var resumed = await ReadAsync(tenant, id, after: "2");

        Assert.Equal((what, expected), (what, string.Join(' ', live.Select(item => $"{item.Type}:{item.Id}"))));
        Assert.Equal(live, late);
        Assert.Equal(live.Skip(2), resumed);
    }

    [Fact]
    public async Task A_fallback_s_stream_is_the_same_too()
    {
        using var tenant = await app.NewTenantAsync();
        var second = await tenant.NewEchoAsync(new { });
        var first = (await tenant.Owner.PostAsync("/api/agents", new
        {
            name = $"first-{Guid.NewGuid():n}",
            kind = "echo",
            settings = new { fail_with = "unauthorized", fail_after_chunks = 1, delay_ms_per_chunk = 30 },
            fallback_agent_ids = new[] { second },
        })).Json.GetProperty("id").GetString();
        var id = await tenant.SubmitAsync(new { agent_id = first, description = "one two" });

        var live = await ReadAsync(tenant, id);
        var late = await ReadAsync(tenant, id);

        Assert.Equal(
            "token:1 reset:2 token:3 token:4 done:5", string.Join(' ', live.Select(item => $"{item.Type}:{item.Id}")));
        Assert.Equal(live, late);
    }

    private static async Task<List<(string Id, string Type, string Data)>> ReadAsync(
        TestTenant tenant, string id, string? after = null)
    {
        var events = new List<(string, string, string)>();
        await foreach (var item in tenant.Owner.StreamAsync($"/api/tasks/{id}/stream-response", after))
            events.Add((item.EventId!, item.EventType, item.Data));
        return events;
    }
}
