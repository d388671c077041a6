using System.IO.Compression;
using System.Net;
using System.Text;
using ViralEngine.Functions.Requests;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>What the standards let clients send is taken, and what nobody lets them send is refused by name.</summary>
[Trait("Category", "BlackBox")]
public sealed class WireTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private const string NewTask = """{"agent_id":"echo","description":"x"}""";

    [Fact]
    public async Task A_byte_order_mark_is_passed_over()
    {
        using var tenant = await app.NewTenantAsync();
        byte[] mark = [0xEF, 0xBB, 0xBF];

        (await SendAsync("/api/tasks", [.. mark, .. Encoding.UTF8.GetBytes(NewTask)], "application/json"))
            .Expect(HttpStatusCode.Created);
        (await SendAsync(
            "/api/batches?name=n&agent_id=echo", [.. mark, .. "{\"description\":\"x\"}\n"u8], "application/x-ndjson"))
            .Expect(HttpStatusCode.Accepted);
        (await SendAsync(
            "/api/batches", [.. mark, .. """{"name":"n","agent_id":"echo","items":[{"description":"x"}]}"""u8],
            "application/json"))
            .Expect(HttpStatusCode.Accepted);
        (await SendAsync("/api/tasks", mark, "application/json")).ExpectProblem(HttpStatusCode.BadRequest);

        Task<ApiResponse> SendAsync(string path, byte[] body, string type) => tenant.Owner.SendBytesAsync(
            HttpMethod.Post, path, body, type);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("identity")]
    public async Task A_compressed_body_is_read(string coding)
    {
        using var tenant = await app.NewTenantAsync();

        (await SendAsync(tenant, "/api/tasks", Pack(coding, Encoding.UTF8.GetBytes(NewTask)), coding))
            .Expect(HttpStatusCode.Created);
        var batch = Pack(
            coding, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"description\":\"x\"}\n", 3000))));
        var made = await SendAsync(tenant, "/api/batches?name=n&agent_id=echo", batch, coding, "application/x-ndjson");
        Assert.Equal(
            3000, made.Expect(HttpStatusCode.Accepted).Json.GetProperty("counts").GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task What_does_not_fit_its_encoding_or_the_limits_is_refused()
    {
        using var tenant = await app.NewTenantAsync();
        var bomb = Pack("gzip", new byte[64 * 1024 * 1024]);

        var unknown = await SendAsync(tenant, "/api/tasks", [1, 2, 3], "zstd");
        var several = await SendAsync(tenant, "/api/tasks", [1, 2, 3], "gzip, gzip");
        var broken = await SendAsync(tenant, "/api/tasks", "not compressed at all"u8.ToArray(), "gzip");
        var brokenBatch = await SendAsync(
            tenant, "/api/batches?name=n&agent_id=echo", "not"u8.ToArray(), "gzip", "application/x-ndjson");
        var tooLarge = await SendAsync(tenant, "/api/tasks", bomb, "gzip");

        unknown.ExpectProblem(HttpStatusCode.UnsupportedMediaType);
        several.ExpectProblem(HttpStatusCode.UnsupportedMediaType);
        Assert.Contains("gzip", unknown.Header("Accept-Encoding"));
        Assert.Contains("body", broken.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        Assert.Contains("body", brokenBatch.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        tooLarge.ExpectProblem(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("""{"agent_id":"echo","description":"x","priority":5.0}""", true)]
    [InlineData("""{"agent_id":"echo","description":"x","priority":50e-1}""", true)]
    [InlineData("""{"agent_id":"echo","description":"x","priority":5.5}""", false)]
    [InlineData("""{"agent_id":"echo","description":"x","priority":9.0000000000000000000000000000000001}""", false)]
    [InlineData("""{"agent_id":"echo","description":"x","scheduled_at":"2026-11-28T12:00:00.123456789Z"}""", true)]
    [InlineData("""{"agent_id":"echo","description":"x","scheduled_at":"2016-12-31T23:59:60Z"}""", true)]
    [InlineData("""{"agent_id":"echo","description":"x","scheduled_at":"2026-11-28T12:00:00"}""", false)]
    [InlineData("""{"agent_id":"echo","description":"x","input":1e-30}""", true)]
    [InlineData("""{"agent_id":"echo","description":"x","input":{"a":[1e999999]}}""", false)]
    [InlineData("""{"agent_id":"echo","description":"x","metadata":{"a":1e131071}}""", false)]
    public async Task Numbers_and_times_are_what_the_standards_say(string body, bool good)
    {
        using var tenant = await app.NewTenantAsync();

        (await tenant.Owner.PostAsync("/api/tasks", body)).Expect(
            good ? HttpStatusCode.Created : HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("""{"agent_id":"echo","description":"a\u0000b"}""", "description")]
    [InlineData("""{"agent_id":"echo","description":"x","tags":["ok","a\u0000"]}""", "tags[1]")]
    [InlineData("""{"agent_id":"echo","description":"x","input":{"a":[{"b":"\u0000"}]}}""", "input.a[0].b")]
    [InlineData("""{"agent_id":"echo","description":"x\ud83d"}""", "description")]
    [InlineData("""{"agent_id":"echo","description":"x","input":{"\ude00":1}}""", "body")]
    [InlineData("""{"agent_id":"echo","description":"x","metadata":{"a":"\ud83d\ud83d\ude00"}}""", "metadata.a")]
    public async Task Text_that_cannot_be_stored_is_refused_by_its_path(string body, string path)
    {
        using var tenant = await app.NewTenantAsync();

        var problem = (await tenant.Owner.PostAsync("/api/tasks", body)).ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Contains(path, problem.Errors.Keys);
    }

    [Fact]
    public async Task Every_get_has_a_head()
    {
        var catalog = new EndpointCatalog();
        Assert.All(
            catalog.All.Where(endpoint => endpoint.Methods.Contains("GET")),
            endpoint => Assert.True(endpoint.Methods.Contains("HEAD"), $"{endpoint.Function} takes no HEAD."));
        using var tenant = await app.NewTenantAsync();
        var task = await tenant.SubmitAsync(new { agent_id = "echo", description = "x" });
        await tenant.WaitForAsync(task, "completed");

        foreach (var path in new[]
        {
            "tasks", $"tasks/{task}", $"tasks/{task}/stream", $"tasks/{task}/result", "health", "openapi.json"
        })
        {
            var head = await tenant.Owner.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/{path}"));
            head.Expect(HttpStatusCode.OK);
            Assert.Empty(head.Bytes);
            Assert.NotNull(head.Header("Content-Type"));
        }

        (await tenant.Owner.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/tasks/{Guid.NewGuid()}")))
            .Expect(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("2020-01-01T00:00:00+02:00")] // as it is: a plus sign may stand in a query
    [InlineData("2020-01-01T00:00:00%2B02:00")]
    [InlineData("2020-01-01t00:00:00z")]
    public async Task A_time_in_a_query_may_have_an_offset(string time)
    {
        using var tenant = await app.NewTenantAsync();
        var task = await tenant.SubmitAsync(new { agent_id = "echo", description = "x" });

        var found = (await tenant.Owner.GetAsync($"/api/tasks?created_after={time}")).Expect(HttpStatusCode.OK).Json;

        Assert.Equal(task, Assert.Single(found.GetProperty("tasks").EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_change_that_takes_no_parameters_refuses_them()
    {
        using var tenant = await app.NewTenantAsync();

        var create = await tenant.Owner.PostAsync("/api/tasks?dry_run=true", NewTask);
        var cancel = await tenant.Owner.PostAsync($"/api/tasks/{Guid.NewGuid()}/cancel?force=1");

        Assert.Contains("dry_run", create.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        Assert.Contains("force", cancel.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
    }

    [Fact]
    public async Task Garbage_where_a_cursor_or_a_link_is_expected_is_no_fault_of_ours()
    {
        using var tenant = await app.NewTenantAsync();
        using var stranger = app.NewClient();

        foreach (var text in new[]
        {
            new string('!', 22), new string('=', 22), new string('A', 21) + "\u00e9", "AAAA AAAA AAAA AAAA AAA"
        })
        {
            var problem = (await tenant.Owner.GetAsync($"/api/tasks?cursor={Uri.EscapeDataString(text)}"))
                .ExpectProblem(HttpStatusCode.BadRequest);
            Assert.Contains("cursor", problem.Errors.Keys);
        }

        foreach (var text in new[]
        {
            new string('!', 98), new string('A', 98), new string('=', 98), new string('!', 97)
        })
        {
            (await stranger.GetAsync($"/api/approvals/links/{text}")).Expect(HttpStatusCode.NotFound);
            (await stranger.PostAsync($"/api/approvals/links/{text}")).Expect(HttpStatusCode.NotFound);
        }
    }

    [Theory]
    [InlineData("/api/agents", "{\"name\":\"n\",\"kind\":\"echo\",\"settings\":{@}}")]
    [InlineData("/api/tasks", "{@}")]
    [InlineData("/api/workflows", "{\"steps\":[{@}]}")]
    public async Task What_is_said_of_faults_is_bounded_however_many_there_are(string path, string body)
    {
        using var tenant = await app.NewTenantAsync();
        var many = string.Join(',', Enumerable.Range(0, 30_000).Select(i => $"\"unknown field {i}\":1"));
        var long_ = $"\"{new string('f', 900_000)}\":1";

        foreach (var fields in new[] { many, long_ })
        {
            var answer = await tenant.Owner.PostAsync(path, body.Replace("@", fields, StringComparison.Ordinal));
            answer.ExpectProblem(HttpStatusCode.BadRequest);
            Assert.True(answer.Bytes.Length < 200_000, $"{path}: {answer.Bytes.Length} bytes of faults");
        }
    }

    private static Task<ApiResponse> SendAsync(
        TestTenant tenant, string path, byte[] body, string coding, string contentType = "application/json")
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        return tenant.Owner.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = content });
    }

    private static byte[] Pack(string coding, byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (Stream packing = coding.ToLowerInvariant() switch
        {
            "gzip" or "x-gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            _ => packed,
        })
        {
            packing.Write(bytes);
        }

        return packed.ToArray();
    }
}
