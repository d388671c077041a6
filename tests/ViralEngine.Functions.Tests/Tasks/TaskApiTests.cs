using System.Net;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

[Trait("Category", "BlackBox")]
public sealed class TaskApiTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact, Trait("Category", "Smoke")]
    public async Task A_task_is_stored_executed_and_read_back()
    {
        using var tenant = await api.NewTenantAsync();

        var created = (await tenant.Owner.PostAsync("/api/tasks", new
        {
            agent_id = "echo",
            description = "say this back",
            input = new { n = 1 },
            tags = new[] { "a" },
            metadata = new { order = "7" },
            priority = 9,
        })).Expect(HttpStatusCode.Created);
        var id = created.Json.GetProperty("id").GetString()!;
        var task = (await tenant.WaitForAsync(id, "completed")).Json;

        Assert.Equal($"/api/tasks/{id}", created.Header("Location"));
        Assert.Equal("say this back", task.GetProperty("result").GetString());
        Assert.Equal(1, task.GetProperty("input").GetProperty("n").GetInt32());
        Assert.Equal("7", task.GetProperty("metadata").GetProperty("order").GetString());
        Assert.Equal(1, task.GetProperty("attempt").GetInt32());
        Assert.True(task.GetProperty("usage").GetProperty("output_tokens").GetInt64() > 0);
    }

    [Fact]
    public async Task History_tells_each_event_once_in_order()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.SubmitAsync(new { agent_id = "echo", description = "hello" });
        await tenant.WaitForAsync(id, "completed");

        var events = (await tenant.Owner.GetAsync($"/api/tasks/{id}/history"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("events");

        Assert.Equal(
            ["1 task.created", "2 task.started", "3 task.completed"],
            events.EnumerateArray().Select(e => $"{e.GetProperty("number")} {e.GetProperty("type")}"));
    }

    [Fact]
    public async Task Lists_page_newest_first_without_gaps_and_filter()
    {
        using var tenant = await api.NewTenantAsync();
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
            ids.Add(await tenant.SubmitAsync(
                new { agent_id = "echo", description = $"{i}", tags = new[] { i < 2 ? "few" : "many" } }));
        ids.Reverse();

        var listed = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await tenant.Owner.GetAsync($"/api/tasks?limit=3{(cursor is null ? "" : $"&cursor={cursor}")}"))
                .Expect(HttpStatusCode.OK).Json;
            listed.AddRange(
                page.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("id").GetString()!));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        var few = (await tenant.Owner.GetAsync("/api/tasks?tag=few")).Json.GetProperty("tasks").GetArrayLength();

        Assert.Equal(ids, listed);
        Assert.Equal(2, few);
    }

    [Fact]
    public async Task A_scheduled_task_waits_and_can_be_cancelled_at_once()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.SubmitAsync(
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddHours(1) });

        var cancelled = (await tenant.Owner.PostAsync($"/api/tasks/{id}/cancel")).Expect(HttpStatusCode.OK).Json;
        var again = (await tenant.Owner.PostAsync($"/api/tasks/{id}/cancel")).ExpectProblem(HttpStatusCode.Conflict);

        Assert.Equal("cancelled", cancelled.GetProperty("status").GetString());
        Assert.Contains("cancelled", again.Detail);
    }

    [Fact, Trait("Category", "Smoke")]
    public async Task Cancel_reaches_a_running_call_within_a_second()
    {
        using var tenant = await api.NewTenantAsync();

        await CancelTimes.WithinASecondAsync(tenant, tenant.Owner, tasks: 5);
    }

    [Fact]
    public async Task A_failing_attempt_is_retried_and_a_lasting_failure_says_why()
    {
        using var tenant = await api.NewTenantAsync();
        var flaky = await tenant.NewEchoAsync(new { fail_with = "unavailable", fail_first_attempts = 1 });
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });

        var retried = await tenant.SubmitAsync(new { agent_id = flaky, description = "try again" });
        var failed = await tenant.SubmitAsync(new { agent_id = broken, description = "never" });
        var completed = (await tenant.WaitForAsync(retried, "completed")).Json;
        var error = (await tenant.WaitForAsync(failed, "failed")).Json;

        Assert.Equal(2, completed.GetProperty("attempt").GetInt32());
        Assert.Equal("invalid_request", error.GetProperty("error").GetProperty("class").GetString());
        Assert.Equal(1, error.GetProperty("failed_attempts").GetInt32());
    }

    [Fact]
    public async Task A_failed_task_runs_again_when_retried()
    {
        using var tenant = await api.NewTenantAsync();
        var broken = await tenant.NewEchoAsync(new { fail_with = "unauthorized" });
        var id = await tenant.SubmitAsync(new { agent_id = broken, description = "again" });
        await tenant.WaitForAsync(id, "failed");
        (await tenant.Owner.PatchAsync($"/api/agents/{broken}", """{"settings":{"fail_with":null}}"""))
            .Expect(HttpStatusCode.OK);

        (await tenant.Owner.PostAsync($"/api/tasks/{id}/retry")).Expect(HttpStatusCode.Accepted);
        var task = (await tenant.WaitForAsync(id, "completed")).Json;

        Assert.Equal("again", task.GetProperty("result").GetString());
        (await tenant.Owner.PostAsync($"/api/tasks/{id}/retry")).ExpectProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_fallback_answers_where_the_first_agent_cannot()
    {
        using var tenant = await api.NewTenantAsync();
        var spare = await tenant.NewEchoAsync(new { });
        var first = (await tenant.Owner.PostAsync("/api/agents", new
        {
            name = "first",
            kind = "echo",
            settings = new { fail_with = "unavailable" },
            fallback_agent_ids = new[] { spare },
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

        var id = await tenant.SubmitAsync(new { agent_id = first, description = "help" });
        var task = (await tenant.WaitForAsync(id, "completed")).Json;

        Assert.Equal("help", task.GetProperty("result").GetString());
        Assert.StartsWith("echo-", task.GetProperty("answered_by").GetString());
    }

    [Fact, Trait("Category", "Smoke")]
    public async Task A_stream_continues_after_the_last_event_the_client_has()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.SubmitAsync(new { agent_id = "echo", description = "one two three four" });
        await tenant.WaitForAsync(id, "completed");

        var rest = new List<string>();
        await foreach (var item in tenant.Owner.StreamAsync($"/api/tasks/{id}/stream-response", lastEventId: "2"))
            rest.Add($"{item.EventId} {item.EventType} {item.Data}");

        Assert.Equal(
            ["3 token {\"text\":\"three \"}", "4 token {\"text\":\"four\"}", "5 done {\"status\":\"completed\"}"],
            rest);
        using var ended = await tenant.Owner.OpenAsync(
            new HttpRequestMessage(
                HttpMethod.Get,
                $"/api/tasks/{id}/stream-response")
            { Headers = { { "Last-Event-ID", "5" } } }, default);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
    }

    [Theory]
    [InlineData("""{"description":"x"}""", "agent_id")]
    [InlineData("""{"agent_id":"echo"}""", "description")]
    [InlineData("""{"agent_id":"echo","description":" "}""", "description")]
    [InlineData("""{"agent_id":"nobody","description":"x"}""", "agent_id")]
    [InlineData("""{"agent_id":"echo","description":"x","priority":10}""", "priority")]
    [InlineData("""{"agent_id":"echo","description":"x","priority":"1"}""", "priority")]
    [InlineData("""{"agent_id":"echo","description":"x","tags":["ok",7]}""", "tags[1]")]
    [InlineData("""{"agent_id":"echo","description":"x","metadata":[]}""", "metadata")]
    [InlineData("""{"agent_id":"echo","description":"x","scheduled_at":"tomorrow"}""", "scheduled_at")]
    [InlineData("""{"agent_id":"echo","description":"x","timeout_seconds":0}""", "timeout_seconds")]
    [InlineData("""{"agent_id":"echo","description":"x","unknown":1}""", "unknown")]
    [InlineData("""{"agent_id":"echo","description":"a\u0000b"}""", "description")]
    [InlineData("""{"agent_id":"echo",""", "body")]
    [InlineData("[]", "body")]
    public async Task Bad_input_is_refused_by_the_name_of_its_field(string body, string field)
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.PostAsync("/api/tasks", body)).ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Contains(field, problem.Errors.Keys);
        Assert.Empty((await tenant.Owner.GetAsync("/api/tasks")).Json.GetProperty("tasks").EnumerateArray());
    }
}
