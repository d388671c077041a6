using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

[Trait("Category", "BlackBox")]
public sealed class BatchApiTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Fact, Trait("Category", "Smoke")]
    public async Task Runs_every_item_and_gives_the_results_in_the_order_of_submission()
    {
        using var tenant = await app.NewTenantAsync();

        var created = (await tenant.Owner.PostAsync("/api/batches", new
        {
            items = new object[]
            {
                new { description = "first" },
                new
                {
                    id = "b", description = "second", metadata = new { row = 2 }, timeout_seconds = 5,
                    max_attempts = 1
                },
                new { description = "third", agent_id = "echo", input = new[] { 1, 2 } },
            },
            name = "settings may come last",
            agent_id = "echo",
            concurrency_limit = 2,
            description = "A test.",
        })).Expect(HttpStatusCode.Accepted);
        var id = created.Json.GetProperty("id").GetString()!;
        var batch = await tenant.Owner.WaitForBatchAsync(id, "completed");
        var results = await tenant.Owner.ResultsAsync(id);

        Assert.Equal($"/api/batches/{id}", created.Header("Location"));
        Assert.Equal("pending", created.Json.GetProperty("status").GetString());
        Assert.Equal((3, 3, 0), (batch.Count("total"), batch.Count("completed"), batch.Count("pending")));
        Assert.Equal(1, batch.GetProperty("progress").GetDouble());
        Assert.Equal(3, batch.GetProperty("usage").GetProperty("output_tokens").GetInt32());
        Assert.Equal(["1", "b", "3"], results.Select(row => row.GetProperty("id").GetString()));
        Assert.Equal(["first", "second", "third"], results.Select(row => row.GetProperty("result").GetString()));
        Assert.Equal(2, results[1].GetProperty("metadata").GetProperty("row").GetInt32());
        Assert.All(results, row => Assert.Equal(1, row.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public async Task Takes_lines_and_names_an_item_without_an_id_by_its_line()
    {
        using var tenant = await app.NewTenantAsync();

        var created = (await tenant.Owner.SendLinesAsync(
            "name=lines&agent_id=echo&concurrency_limit=3&failure_mode=fail_fast",
            "{\"description\":\"one\"}\r\n\n  \n"
            + "{\"description\":\"four\",\"id\":\"mine\"}\n{\"description\":\"five\"}"))
            .Expect(HttpStatusCode.Accepted).Json;
        var id = created.GetProperty("id").GetString()!;
        await tenant.Owner.WaitForBatchAsync(id, "completed");

        Assert.Equal("fail_fast", created.GetProperty("failure_mode").GetString());
        Assert.Equal(3, created.GetProperty("concurrency_limit").GetInt32());
        Assert.Equal(
            ["1", "mine", "5"], (await tenant.Owner.ResultsAsync(id)).Select(row => row.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Tells_what_happened_from_the_beginning_to_one_end_and_goes_on_where_a_reader_left()
    {
        using var tenant = await app.NewTenantAsync();
        var id = await tenant.Owner.SubmitManyAsync(40);

        var live = await tenant.Owner.EventsAsync(id);
        var after = new List<string>();
        await foreach (var item in tenant.Owner.StreamAsync($"/api/batches/{id}/stream", lastEventId: "1"))
            after.Add(item.EventType);
        var finished = await tenant.Owner.GetAsync($"/api/batches/{id}/stream?last_event_id={live.Count}");

        Assert.Equal(("batch.created", "batch.started"), (live[0].Type, live[1].Type));
        Assert.Equal("batch.completed", live[^1].Type);
        Assert.Single(live, happened => happened.Type == "batch.completed");
        Assert.Equal(40, live[^1].Data.GetProperty("completed").GetInt32());
        Assert.Equal(live.Skip(1).Select(happened => happened.Type), after);
        finished.Expect(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_failed_item_does_not_stop_the_others_and_is_run_again_alone_when_asked()
    {
        using var tenant = await app.NewTenantAsync();
        var failing = await tenant.NewEchoAsync(new { fail_with = "invalid_request", fail_first_attempts = 1 });
        var id = await tenant.Owner.SubmitBatchAsync(new
        {
            name = "some fail",
            agent_id = "echo",
            items = Enumerable.Range(0, 30).Select(
                i => new { description = $"item {i}", agent_id = i % 10 == 3 ? failing : "echo" }),
        });

        var batch = await tenant.Owner.WaitForBatchAsync(id, "completed");
        var failed = await tenant.Owner.ResultsAsync(id, "failed");
        var again = (await tenant.Owner.PostAsync($"/api/batches/{id}/retry-failed")).Expect(
            HttpStatusCode.Accepted).Json;
        var retried = await tenant.Owner.WaitForBatchAsync(
            id, now => now.GetProperty("status").GetString() == "completed" && now.GetProperty("run").GetInt32() == 2,
            "the second run");
        var results = await tenant.Owner.ResultsAsync(id);

        Assert.Equal((27, 3), (batch.Count("completed"), batch.Count("failed")));
        Assert.Equal(["4", "14", "24"], failed.Select(row => row.GetProperty("id").GetString()));
        Assert.All(
            failed, row => Assert.Equal("invalid_request", row.GetProperty("error").GetProperty("class").GetString()));
        Assert.Equal(2, again.GetProperty("run").GetInt32());
        Assert.Equal((30, 0), (retried.Count("completed"), retried.Count("failed")));
        Assert.Equal(3, results.Count(row => row.GetProperty("attempt").GetInt32() == 2));
        Assert.All(results, row => Assert.Equal("completed", row.GetProperty("status").GetString()));
        (await tenant.Owner.PostAsync($"/api/batches/{id}/retry-failed")).ExpectProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Tries_an_item_again_by_its_class_of_error_until_its_attempts_are_used_up()
    {
        using var tenant = await app.NewTenantAsync();
        var once = await tenant.NewEchoAsync(new { fail_with = "unavailable", fail_first_attempts = 1 });
        var always = await tenant.NewEchoAsync(new { fail_with = "unavailable" });
        var id = await tenant.Owner.SubmitBatchAsync(new
        {
            name = "retries",
            agent_id = once,
            items = new object[]
            {
                new { description = "succeeds at last" },
                new { description = "has one attempt", max_attempts = 1 },
                new { description = "never succeeds", agent_id = always, max_attempts = 2 },
            },
        });

        await tenant.Owner.WaitForBatchAsync(id, "completed");
        var results = await tenant.Owner.ResultsAsync(id);

        Assert.Equal(
            [("completed", 2), ("failed", 1), ("failed", 2)],
            results.Select(row => (row.GetProperty("status").GetString()!, row.GetProperty("attempt").GetInt32())));
    }

    [Fact]
    public async Task Ends_the_others_at_the_first_failure_where_that_is_asked()
    {
        using var tenant = await app.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var failing = await tenant.NewEchoAsync(new { fail_with = "unauthorized" });
        var id = await tenant.Owner.SubmitBatchAsync(new
        {
            name = "fail fast",
            agent_id = slow,
            failure_mode = "fail_fast",
            concurrency_limit = 4,
            items = Enumerable.Range(0, 100).Select(
                i => new { description = $"item {i}", agent_id = i == 0 ? failing : slow }),
        });

        var batch = await tenant.Owner.WaitForBatchAsync(id, "failed");
        var events = await tenant.Owner.EventsAsync(id);

        Assert.Equal((1, 99, 0), (batch.Count("failed"), batch.Count("cancelled"), batch.Count("completed")));
        Assert.Equal("batch.failed", events[^1].Type);
        Assert.Equal(99, (await tenant.Owner.ResultsAsync(id, "cancelled")).Count);
    }

    [Fact]
    public async Task Cancels_what_runs_and_starts_nothing_more()
    {
        using var tenant = await app.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var id = await tenant.Owner.SubmitManyAsync(3000, slow, "&concurrency_limit=6");
        var running = await tenant.Owner.WaitForBatchAsync(id, batch => batch.Count("in_progress") == 6, "six to run");

        var asked = (await tenant.Owner.PostAsync($"/api/batches/{id}/cancel")).Expect(HttpStatusCode.Accepted).Json;
        var batch = await tenant.Owner.WaitForBatchAsync(id, "cancelled");
        var events = await tenant.Owner.EventsAsync(id);

        Assert.Equal(2994, running.Count("pending"));
        Assert.True(asked.GetProperty("cancel_requested").GetBoolean());
        Assert.Equal((3000, 0, 0), (batch.Count("cancelled"), batch.Count("in_progress"), batch.Count("pending")));
        Assert.Equal(
            ["batch.created", "batch.started", "batch.cancel_requested", "batch.cancelled"],
            events.Select(happened => happened.Type));
        (await tenant.Owner.PostAsync($"/api/batches/{id}/cancel")).ExpectProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Cancels_a_batch_whose_items_all_wait_for_their_next_attempt()
    {
        using var tenant = await app.NewTenantAsync();
        var limited = await tenant.NewEchoAsync(new { fail_with = "rate_limited", retry_after_seconds = 1800 });
        var id = await tenant.Owner.SubmitManyAsync(5, limited);
        await Eventually.TrueAsync(
            async () => (await tenant.Owner.ResultsAsync(id)).All(row => row.GetProperty("attempt").GetInt32() == 1),
            "all to have failed once");

        (await tenant.Owner.PostAsync($"/api/batches/{id}/cancel")).Expect(HttpStatusCode.Accepted);
        var batch = await tenant.Owner.WaitForBatchAsync(id, "cancelled");

        Assert.Equal(5, batch.Count("cancelled"));
    }

    [Fact]
    public async Task Shows_rate_and_estimated_end_while_it_runs_and_lists_newest_first()
    {
        using var tenant = await app.NewTenantAsync();
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 40 });
        var first = await tenant.Owner.SubmitManyAsync(1);
        var id = await tenant.Owner.SubmitManyAsync(2000, slow);

        var running = await tenant.Owner.WaitForBatchAsync(
            id, batch => batch.GetProperty("estimated_end_at").ValueKind == JsonValueKind.String, "an estimate");
        await tenant.Owner.WaitForBatchAsync(first, "completed");
        var all = (await tenant.Owner.GetAsync("/api/batches?limit=5"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("batches");
        var completed = (await tenant.Owner.GetAsync("/api/batches?status=completed"))
            .Expect(HttpStatusCode.OK).Json.GetProperty("batches");
        (await tenant.Owner.PostAsync($"/api/batches/{id}/cancel")).Expect(HttpStatusCode.Accepted);

        Assert.True(running.GetProperty("items_per_second").GetDouble() > 0);
        Assert.True(running.Count("in_progress") <= 20);
        Assert.Equal([id, first], all.EnumerateArray().Select(batch => batch.GetProperty("id").GetString()!));
        Assert.Equal(first, Assert.Single(completed.EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task Belongs_to_its_tenant_and_changes_only_by_those_who_may()
    {
        using var tenant = await app.NewTenantAsync();
        using var other = await app.NewTenantAsync();
        using var viewer = await tenant.NewClientAsync("viewer");
        var id = await tenant.Owner.SubmitManyAsync(1);
        await tenant.Owner.WaitForBatchAsync(id, "completed");

        foreach (var path in new[] { "", "/results", "/results?format=csv", "/stream" })
            (await other.Owner.GetAsync($"/api/batches/{id}{path}")).ExpectProblem(HttpStatusCode.NotFound);
        foreach (var call in new[] { "cancel", "retry-failed" })
        {
            (await other.Owner.PostAsync($"/api/batches/{id}/{call}")).ExpectProblem(HttpStatusCode.NotFound);
            (await viewer.PostAsync($"/api/batches/{id}/{call}")).ExpectProblem(HttpStatusCode.Forbidden);
        }

        (await viewer.GetAsync($"/api/batches/{id}/results")).Expect(HttpStatusCode.OK);
        (await viewer.PostAsync("/api/batches", new { name = "no" })).ExpectProblem(HttpStatusCode.Forbidden);
        (await tenant.Owner.GetAsync("/api/batches/not-an-id")).ExpectProblem(HttpStatusCode.NotFound);
    }
}
