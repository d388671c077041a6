using System.Net;
using System.Text;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Idempotency;

[Trait("Category", "BlackBox")]
public sealed class IdempotencyTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private static readonly object Echo = new { agent_id = "echo", description = "once" };

    [Fact, Trait("Category", "Smoke")]
    public async Task Gives_the_stored_answer_again_and_does_nothing_again()
    {
        using var api = await NewTenantAsync();

        var first = (await PostAsync(api, "key-1", Echo)).Expect(HttpStatusCode.Created);
        var second = (await PostAsync(api, "key-1", Echo)).Expect(HttpStatusCode.Created);
        var quoted = (await PostAsync(api, "\"key-1\"", Echo)).Expect(HttpStatusCode.Created);

        Assert.Null(first.Header("x-idempotent-replayed"));
        foreach (var replayed in new[] { second, quoted })
        {
            Assert.Equal("true", replayed.Header("x-idempotent-replayed"));
            Assert.Equal(first.Bytes, replayed.Bytes);
            Assert.Equal(first.Header("Content-Type"), replayed.Header("Content-Type"));
            Assert.Equal(first.Header("Location"), replayed.Header("Location"));
            Assert.NotEqual(first.Header("X-Request-ID"), replayed.Header("X-Request-ID"));
        }

        Assert.Single(await api.ListAsync("/api/tasks", "tasks"));
    }

    [Fact]
    public async Task Runs_a_task_whose_creation_had_a_key()
    {
        using var api = await NewTenantAsync();

        var task = (await PostAsync(api, "run-it", Echo)).Expect(HttpStatusCode.Created);

        await Eventually.GetAsync(
            async () => (await api.GetAsync(task.Header("Location")!)).Json.GetProperty("status").GetString(),
            status => status == "completed",
            "the task to be completed");
    }

    [Fact]
    public async Task Refuses_a_key_reused_with_another_body_or_query_or_path()
    {
        using var api = await NewTenantAsync();
        var task = (await PostAsync(api, "key-1", Echo)).Expect(HttpStatusCode.Created);

        var body = await PostAsync(api, "key-1", new { agent_id = "echo", description = "twice" });
        var longer = await PostAsync(api, "key-1", new { agent_id = "echo", description = new string('x', 50_000) });
        (await PostLinesAsync("first")).Expect(HttpStatusCode.Accepted);
        var query = await PostLinesAsync("second");
        var agent = new { name = "a", kind = "echo" };
        await api.PatchAsync(await NewAgentAsync("first"), agent, ("Idempotency-Key", "path"));
        var path = await api.PatchAsync(await NewAgentAsync("second"), agent, ("Idempotency-Key", "path"));

        Assert.EndsWith("idempotency-key-reused", body.ExpectProblem(HttpStatusCode.UnprocessableEntity).Type);
        longer.ExpectProblem(HttpStatusCode.UnprocessableEntity);
        query.ExpectProblem(HttpStatusCode.UnprocessableEntity);
        path.ExpectProblem(HttpStatusCode.UnprocessableEntity);
        var tasks = await api.ListAsync("/api/tasks", "tasks");
        Assert.Equal(task.Json.GetProperty("id").GetString(), Assert.Single(tasks).GetProperty("id").GetString());

        Task<ApiResponse> PostLinesAsync(string name)
        {
            var lines = new StringContent("{\"description\":\"a\"}\n", Encoding.UTF8, "application/x-ndjson");
            var request = new HttpRequestMessage(
                HttpMethod.Post, $"/api/batches?agent_id=echo&name={name}")
            { Content = lines };
            request.Headers.Add("Idempotency-Key", "query");
            return api.SendAsync(request);
        }

        async Task<string> NewAgentAsync(string name) =>
            (await api.PostAsync("/api/agents", new { name, kind = "echo" })).Expect(HttpStatusCode.Created)
                .Header("Location")!;
    }

    [Fact]
    public async Task Keeps_the_same_key_of_another_tenant_caller_or_route_apart()
    {
        using var tenant = await app.NewTenantAsync();
        var api = tenant.Owner;
        using var foreign = await NewTenantAsync();
        var second = (await api.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys", new { name = "k", role = "owner" },
            ("Idempotency-Key", "same")))
            .Expect(HttpStatusCode.Created).Json.GetProperty("key").GetString();
        using var colleague = app.NewClient(second);

        var mine = (await PostAsync(api, "same", Echo)).Expect(HttpStatusCode.Created);
        var theirs = (await PostAsync(foreign, "same", Echo)).Expect(HttpStatusCode.Created);
        var colleagues = (await PostAsync(colleague, "same", Echo)).Expect(HttpStatusCode.Created);

        Assert.Equal(
            3, new[] { mine, theirs, colleagues }.Select(answer => answer.Header("Location")).Distinct().Count());
        Assert.All([mine, theirs, colleagues], answer => Assert.Null(answer.Header("x-idempotent-replayed")));
    }

    [Fact]
    public async Task Keeps_nothing_of_a_request_that_was_not_executed()
    {
        using var tenant = await app.NewTenantAsync();
        var api = tenant.Owner;
        using var viewer = app.NewClient((await api.PostAsync(
            $"/api/organizations/{tenant.Id}/api-keys",
            new { name = "v", role = "viewer" })).Json.GetProperty("key").GetString());

        (await PostAsync(api, "again", new { agent_id = "echo" })).ExpectProblem(HttpStatusCode.BadRequest);
        (await PostAsync(api, "again", new { agent_id = "nobody", description = "x" })).ExpectProblem(
            HttpStatusCode.BadRequest);
        (await PostAsync(viewer, "again", Echo)).ExpectProblem(HttpStatusCode.Forbidden);
        (await api.SendBytesAsync(HttpMethod.Post, "/api/tasks", "x"u8.ToArray(), "text/plain")).ExpectProblem(
            HttpStatusCode.UnsupportedMediaType);
        var made = (await PostAsync(api, "again", Echo)).Expect(HttpStatusCode.Created);

        Assert.Null(made.Header("x-idempotent-replayed"));
        Assert.Single(await api.ListAsync("/api/tasks", "tasks"));
    }

    [Fact]
    public async Task Keeps_what_a_request_that_was_executed_was_refused_with()
    {
        using var tenant = await app.NewTenantAsync();
        var api = tenant.Owner;
        var agent = await tenant.NewEchoAsync(new { });
        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "done" });
        await tenant.WaitForAsync(task, "completed");
        var nowhere = $"/api/tasks/{Guid.NewGuid()}/cancel";

        var missing = await api.PostAsync(nowhere, null, ("Idempotency-Key", "missing"));
        var missingAgain = await api.PostAsync(nowhere, null, ("Idempotency-Key", "missing"));
        var ended = await api.PostAsync($"/api/tasks/{task}/cancel", null, ("Idempotency-Key", "ended"));
        var endedAgain = await api.PostAsync($"/api/tasks/{task}/cancel", null, ("Idempotency-Key", "ended"));
        var other = await api.PostAsync($"/api/tasks/{Guid.NewGuid()}/cancel", null, ("Idempotency-Key", "ended"));

        missing.ExpectProblem(HttpStatusCode.NotFound);
        ended.ExpectProblem(HttpStatusCode.Conflict);
        Assert.Null(missing.Header("x-idempotent-replayed"));
        Assert.Equal(("true", missing.Text), (missingAgain.Header("x-idempotent-replayed"), missingAgain.Text));
        Assert.Equal(("true", ended.Text), (endedAgain.Header("x-idempotent-replayed"), endedAgain.Text));
        missingAgain.ExpectProblem(HttpStatusCode.NotFound);
        endedAgain.ExpectProblem(HttpStatusCode.Conflict);
        other.ExpectProblem(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Replays_a_secret_that_is_shown_once()
    {
        using var platform = app.NewPlatformClient();
        var key = Guid.NewGuid().ToString();

        var first = await platform.PostAsync("/api/organizations", new { name = "Once" }, ("Idempotency-Key", key));
        var second = await platform.PostAsync("/api/organizations", new { name = "Once" }, ("Idempotency-Key", key));

        Assert.Equal(first.Expect(HttpStatusCode.Created).Text, second.Expect(HttpStatusCode.Created).Text);
        Assert.Equal("true", second.Header("x-idempotent-replayed"));
        Assert.Contains("\"key\":\"vk_", second.Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("\"open")]
    [InlineData("\"a\"; p=1")]
    [InlineData("\"a\\b\"")]
    [InlineData("a\"b")]
    [InlineData("\"\"")]
    public async Task Refuses_what_is_not_a_key(string key)
    {
        using var api = await NewTenantAsync();

        var problem = (await PostAsync(api, key, Echo)).ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Contains("Idempotency-Key", problem.Errors.Keys);
    }

    [Theory]
    [InlineData(255, HttpStatusCode.Created)]
    [InlineData(256, HttpStatusCode.BadRequest)]
    public async Task Takes_keys_of_up_to_255_characters(int length, HttpStatusCode expected)
    {
        using var api = await NewTenantAsync();

        (await PostAsync(api, new string('~', length), Echo)).Expect(expected);
    }

    [Fact]
    public async Task Knows_a_long_streamed_body_again_by_every_byte()
    {
        using var api = await NewTenantAsync();
        var line = Encoding.UTF8.GetBytes("{\"description\":\"" + new string('x', 2_000) + "\"}\n");
        var body = Enumerable.Repeat(line, 8_000).SelectMany(bytes => bytes).ToArray();

        var first = (await SubmitAsync()).Expect(HttpStatusCode.Accepted);
        var second = (await SubmitAsync()).Expect(HttpStatusCode.Accepted);
        body[^100] = (byte)'y';
        var other = await SubmitAsync();

        Assert.Equal("true", second.Header("x-idempotent-replayed"));
        Assert.Equal(first.Text, second.Text);
        other.ExpectProblem(HttpStatusCode.UnprocessableEntity);
        Assert.Single(await api.ListAsync("/api/batches", "batches"));

        async Task<ApiResponse> SubmitAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/batches?name=long&agent_id=echo")
            {
                Content = new StreamContent(new MemoryStream(body)),
            };
            request.Content.Headers.ContentType = new("application/x-ndjson");
            request.Headers.Add("Idempotency-Key", "long");
            request.Headers.TransferEncodingChunked = true;
            return await api.SendAsync(request);
        }
    }

    private static Task<ApiResponse> PostAsync(ApiClient api, string key, object body) =>
        api.PostAsync("/api/tasks", body, ("Idempotency-Key", key));

    private async Task<ApiClient> NewTenantAsync() => (await app.NewTenantAsync()).Owner;
}
