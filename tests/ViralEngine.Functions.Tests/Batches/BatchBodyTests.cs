using System.Net;
using System.Text;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Batches;

/// <summary>Bodies that are not batches: each is refused by name, and nothing of it stays.</summary>
[Trait("Category", "BlackBox")]
public sealed class BatchBodyTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private static readonly string Long = new('x', 100_001);

    public static TheoryData<string, string> JsonBodies => new()
    {
        { "", "body" },
        { "[]", "body" },
        { "null", "body" },
        { "{", "body" },
        { "{\"name\":\"n\",\"agent_id\":\"echo\"}", "items" },
        { Json("\"items\":[]"), "items" },
        { Json("\"items\":{}"), "items" },
        { Json("\"items\":[{\"description\":\"a\"}],\"items\":[{\"description\":\"a\"}]"), "items" },
        { Json("\"items\":[{\"description\":\"a\"}],\"name\":\"again\""), "name" },
        { Json("\"items\":[{\"description\":\"a\"}],\"colour\":\"red\""), "colour" },
        { Json("\"items\":[{\"description\":\"a\"}],\"concurrency_limit\":5001"), "concurrency_limit" },
        { Json("\"items\":[{\"description\":\"a\"}],\"failure_mode\":\"panic\""), "failure_mode" },
        { "{\"items\":[{\"description\":\"a\"}],\"agent_id\":\"echo\"}", "name" },
        { "{\"items\":[{\"description\":\"a\"}],\"name\":\"n\"}", "agent_id" },
        { "{\"items\":[{\"description\":\"a\"}],\"name\":\"n\",\"agent_id\":\"nobody\"}", "agent_id" },
        {
            Json("\"items\":[{\"description\":\"a\"},{\"description\":\"b\",\"agent_id\":\"nobody\"}]"),
            "items[1].agent_id"
        },
        { Json("\"items\":[{\"description\":\"a\"},7]"), "items[1]" },
        { Json("\"items\":[{\"description\":\"a\"},{}]"), "items[1].description" },
        { Json("\"items\":[{\"description\":\"a\"},{\"description\":\"  \"}]"), "items[1].description" },
        { Json("\"items\":[{\"description\":7}]"), "items[0].description" },
        { Json("\"items\":[{\"description\":null}]"), "items[0].description" },
        { Json($"\"items\":[{{\"description\":\"{Long}\"}}]"), "items[0].description" },
        { Json("\"items\":[{\"description\":\"a\\u0000b\"}]"), "items[0].description" },
        { Json("\"items\":[{\"description\":\"a\\ud800\"}]"), "items[0]" },
        { Json("\"items\":[{\"description\":\"a\",\"color\":1}]"), "items[0].color" },
        { Json("\"items\":[{\"description\":\"a\",\"description\":\"b\"}]"), "items[0].description" },
        { Json("\"items\":[{\"description\":\"a\",\"max_attempts\":0}]"), "items[0].max_attempts" },
        { Json("\"items\":[{\"description\":\"a\",\"timeout_seconds\":1.5}]"), "items[0].timeout_seconds" },
        { Json("\"items\":[{\"description\":\"a\",\"metadata\":[]}]"), "items[0].metadata" },
        { Json("\"items\":[{\"description\":\"a\",\"input\":{\"a\":[\"\\u0000\"]}}]"), "items[0].input" },
        { Json($"\"items\":[{{\"description\":\"a\",\"input\":\"{new string('y', 270_000)}\"}}]"), "items[0].input" },
        {
            Json($"\"items\":[{{\"description\":\"a\",\"input\":{new string('[', 40)}{new string(']', 40)}}}]"),
            "items[0]"
        },
        { Json($"\"items\":[{{\"description\":\"a\",\"input\":\"{new string('y', 1_100_000)}\"}}]"), "items[0]" },
        { Json("\"items\":[{\"description\":\"a\"},{\"description\":\"b\" \"c\"}]"), "items[1]" },
        {
            Json(
                "\"items\":[{\"id\":\"x\",\"description\":\"a\"},{\"description\":\"b\"},"
                + "{\"id\":\"x\",\"description\":\"c\"}]"),
            "items[2].id"
        },
        { Json("\"items\":[{\"id\":\"2\",\"description\":\"a\"},{\"description\":\"b\"}]"), "items[1].id" },
    };

    public static TheoryData<string, string> Lines => new()
    {
        { "", "items" },
        { "\n\n", "items" },
        { "{\"description\":\"a\"}\nnonsense\n", "line 2" },
        { "{\"description\":\"a\"}\n\n{\"description\":\"b\"} {}\n", "line 3" },
        { "{\"description\":\"a\"}\n{\"text\":\"b\"}", "line 2.description" },
        { "{\"id\":\"x\",\"description\":\"a\"}\n{\"id\":\"x\",\"description\":\"b\"}", "line 2.id" },
    };

    [Theory]
    [MemberData(nameof(JsonBodies))]
    public async Task Refuses_a_document_by_naming_what_is_wrong(string body, string field)
    {
        using var tenant = await app.NewTenantAsync();

        var answer = await tenant.Owner.SendBytesAsync(
            HttpMethod.Post, "/api/batches", Encoding.UTF8.GetBytes(body), "application/json");

        Assert.Contains(field, answer.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        await AssertNothingStayedAsync(tenant);
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Refuses_lines_by_naming_the_one_at_fault(string body, string field)
    {
        using var tenant = await app.NewTenantAsync();

        var answer = await tenant.Owner.SendLinesAsync("name=n&agent_id=echo", body);

        Assert.Contains(field, answer.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        await AssertNothingStayedAsync(tenant);
    }

    [Fact]
    public async Task Names_every_item_at_fault_and_keeps_none_of_the_good_ones()
    {
        using var tenant = await app.NewTenantAsync();
        var lines = string.Join('\n', Enumerable.Range(1, 5000).Select(
            i => i % 1000 == 0 ? "{\"description\":\"\"}" : "{\"description\":\"ok\"}"));

        var problem = (await tenant.Owner.SendLinesAsync("name=n&agent_id=echo", lines)).ExpectProblem(
            HttpStatusCode.BadRequest);

        Assert.Equal(
            ["line 1000", "line 2000", "line 3000", "line 4000", "line 5000"],
            problem.Errors.Keys.Select(name => name.Replace(".description", "")).Order());
        await AssertNothingStayedAsync(tenant);
    }

    [Fact]
    public async Task Refuses_bytes_that_are_not_utf8_and_types_it_does_not_know()
    {
        using var tenant = await app.NewTenantAsync();
        byte[] broken = [.. "{\"description\":\""u8, 0xC3, 0x28, .. "\"}"u8];

        var bytes = await tenant.Owner.SendBytesAsync(
            HttpMethod.Post, "/api/batches?name=n&agent_id=echo", broken, "application/x-ndjson");
        var type = await tenant.Owner.SendBytesAsync(
            HttpMethod.Post, "/api/batches?name=n&agent_id=echo", "a,b"u8.ToArray(), "text/csv");
        var query = await tenant.Owner.SendLinesAsync("name=n&agent_id=echo&colour=red", "{\"description\":\"a\"}");
        var both = await tenant.Owner.SendBytesAsync(
            HttpMethod.Post, "/api/batches?name=n", "{}"u8.ToArray(), "application/json");

        Assert.Contains("line 1", bytes.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        type.ExpectProblem(HttpStatusCode.UnsupportedMediaType);
        Assert.Contains("colour", query.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        Assert.Contains("name", both.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
    }

    [Fact]
    public async Task Cannot_be_made_to_fail_by_cutting_or_changing_bytes()
    {
        using var tenant = await app.NewTenantAsync();
        var random = new Random(20261124);
        var whole = Encoding.UTF8.GetBytes(Json(
            "\"items\":[{\"id\":\"a\",\"description\":\"b\\u00e9\",\"input\":{\"c\":[1,\"d\"]},\"metadata\":{}},"
            + "{\"description\":\"e\"}]"));

        for (var i = 0; i < 150; i++)
        {
            var bytes = i % 2 == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            if (bytes.Length > 0)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var type = i % 3 == 0 ? "application/x-ndjson" : "application/json";
            var answer = await tenant.Owner.SendBytesAsync(
                HttpMethod.Post, i % 3 == 0 ? "/api/batches?name=n&agent_id=echo" : "/api/batches", bytes, type);

            Assert.True(
                answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.Accepted,
                $"{Encoding.Latin1.GetString(bytes)}: {answer}");
        }
    }

    private static async Task AssertNothingStayedAsync(TestTenant tenant) =>
        Assert.Empty(
            (await tenant.Owner.GetAsync("/api/batches")).Expect(HttpStatusCode.OK).Json
                .GetProperty("batches").EnumerateArray());

    private static string Json(string rest) => $"{{\"name\":\"n\",\"agent_id\":\"echo\",{rest}}}";
}
