using System.Net;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

/// <summary>A list costs what it shows, not what its rows hold; a large result goes out in pieces.</summary>
public sealed class TaskResultTests(RunningApp running) : IClassFixture<RunningApp>
{
    [Fact]
    public async Task A_list_has_the_beginning_of_results_and_their_size()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var ids = await AnswerAsync(tenant, 12, "é😀x", 1_000_000);

        var page = (await tenant.Owner.GetAsync("/api/tasks?limit=100")).Expect(HttpStatusCode.OK);

        Assert.True(page.Bytes.Length < 100_000, $"{page.Bytes.Length} bytes");
        Assert.All(page.Json.GetProperty("tasks").EnumerateArray(), task =>
        {
            Assert.Equal(7_000_000, task.GetProperty("result_bytes").GetInt32());
            Assert.StartsWith("é😀x", task.GetProperty("result").GetString(), StringComparison.Ordinal);
            Assert.InRange(task.GetProperty("result").GetString()!.Length, 1024, 2048);
        });
        Assert.Equal(12, ids.Count);
    }

    [Fact]
    public async Task A_list_cuts_results_between_characters_as_people_see_them()
    {
        const string Family = "👨\u200d👩\u200d👧\u200d👦";
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        await AnswerAsync(tenant, 1, Family, 1000);

        var task = Assert.Single(
            (await tenant.Owner.GetAsync("/api/tasks")).Expect(HttpStatusCode.OK).Json
                .GetProperty("tasks").EnumerateArray());

        var beginning = task.GetProperty("result").GetString()!;
        Assert.Equal(string.Concat(Enumerable.Repeat(Family, beginning.Length / Family.Length)), beginning);
        Assert.InRange(beginning.EnumerateRunes().Count(), 1010, 1024);
    }

    [Fact]
    public async Task A_result_is_given_whole_by_the_task_and_as_a_stream()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var id = (await AnswerAsync(tenant, 1, "é😀x", 300_000))[0];
        var waiting = await tenant.SubmitAsync(
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) });

        var task = (await tenant.Owner.GetAsync($"/api/tasks/{id}")).Expect(HttpStatusCode.OK).Json;
        var result = (await tenant.Owner.GetAsync($"/api/tasks/{id}/result")).Expect(HttpStatusCode.OK);

        var whole = string.Concat(Enumerable.Repeat("é😀x", 300_000));
        Assert.Equal(whole, task.GetProperty("result").GetString());
        Assert.Equal(whole, result.Text);
        Assert.Equal("2100000", result.Header("Content-Length"));
        Assert.StartsWith("text/plain", result.Header("Content-Type"), StringComparison.Ordinal);
        (await tenant.Owner.GetAsync($"/api/tasks/{waiting}/result")).ExpectProblem(HttpStatusCode.NotFound);
        (await tenant.Owner.GetAsync($"/api/tasks/{Guid.NewGuid()}/result")).ExpectProblem(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_page_ends_early_where_what_was_asked_is_large_and_the_next_goes_on_after_it()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var ids = new List<string>();
        for (var i = 0; i < 14; i++)
        {
            ids.Add(await tenant.SubmitAsync(new
            {
                agent_id = "echo",
                description = new string('d', 100_000),
                input = new string('i', 100_000),
                tags = new[] { "large" },
                scheduled_at = DateTime.UtcNow.AddHours(1),
            }));
        }

        var page = (await tenant.Owner.GetAsync("/api/tasks?limit=100")).Expect(HttpStatusCode.OK);
        var all = await tenant.Owner.ListAsync("/api/tasks", "tasks");

        Assert.InRange(page.Json.GetProperty("tasks").GetArrayLength(), 1, 6);
        Assert.Equal(ids.AsEnumerable().Reverse(), all.Select(task => task.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task A_page_of_a_search_ends_early_where_descriptions_are_large_and_the_next_goes_on_after_it()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await tenant.SubmitAsync(
                new { agent_id = "echo", description = "a needle", scheduled_at = DateTime.UtcNow.AddHours(1) }));
        }

        await using var db = running.Postgres.NewDb();
        await db.ExecuteAsync(
            new TenantId(tenant.Id), "UPDATE viral.tasks SET description = repeat('hay ', 5000000) WHERE id <> $1",
            [Guid.Parse(ids[0])], default);

        var page = (await tenant.Owner.GetAsync("/api/tasks?search=needle")).Expect(HttpStatusCode.OK).Json;
        var found = await tenant.Owner.ListAsync("/api/tasks?search=needle", "tasks");

        Assert.Empty(page.GetProperty("tasks").EnumerateArray());
        Assert.NotNull(page.GetProperty("next_cursor").GetString());
        Assert.Equal(ids[0], Assert.Single(found).GetProperty("id").GetString());
    }

    /// <summary>Tasks that have been answered at length, without an agent that takes its time for it.</summary>
    private async Task<List<string>> AnswerAsync(TestTenant tenant, int count, string piece, int times)
    {
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
            ids.Add(await tenant.SubmitAsync(new { agent_id = "echo", description = "x" }));
        foreach (var id in ids)
            await tenant.WaitForAsync(id, "completed");
        await using var db = running.Postgres.NewDb();
        await db.ExecuteAsync(
            new TenantId(tenant.Id), "UPDATE viral.tasks SET result = repeat($1, $2)", [piece, times], default);
        return ids;
    }
}
