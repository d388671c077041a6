using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Requests;

/// <summary>Null says the same as leaving a field out, everywhere: what was read can be sent again.</summary>
[Trait("Category", "BlackBox")]
public sealed class SentAgainTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    [Theory]
    [InlineData("tasks", """{"agent_id":"echo","description":"x"}""")]
    [InlineData("agents", """{"name":"a","kind":"echo"}""")]
    [InlineData("agents", """{"name":"b","kind":"http","settings":{"url":"https://example.invalid/"}}""")]
    [InlineData("agents", """{"name":"c","kind":"openai","settings":{"model":"m"},"api_key":"k"}""")]
    [InlineData("workflows", """{"steps":[{"id":"a","type":"delay","seconds":3600,"name":null,"until":null}]}""")]
    [InlineData(
        "workflow-templates",
        """{"name":"t","steps":[{"id":"a","type":"delay","seconds":3600}]"""
        + ""","parameters":[{"name":"p","type":"string","min":null}]}""")]
    [InlineData("webhooks", """{"url":"https://example.invalid/hook"}""")]
    [InlineData("alert-rules", """{"name":"r","metric":"failures"}""")]
    public async Task What_was_read_can_be_sent_again(string collection, string body)
    {
        using var tenant = await app.NewTenantAsync();
        var made = (await tenant.Owner.PostAsync($"/api/{collection}", body)).Expect(HttpStatusCode.Created).Json;
        var read = (await tenant.Owner.GetAsync($"/api/{collection}/{made.GetProperty("id").GetString()}"))
            .Expect(HttpStatusCode.OK).Json;
        var taken = await FieldsOfAsync(tenant, collection);

        var again = new JsonObject(read.EnumerateObject().Where(member => taken.Contains(member.Name))
            .Select(member => KeyValuePair.Create(member.Name, JsonNode.Parse(member.Value.GetRawText()))));
        if (again.ContainsKey("name"))
            again["name"] = "again";
        // A workflow's own are how far each of its definition's steps is.
        if (collection == "workflows")
            again["steps"] = null;
        // Every field that may be left out, as nothing.
        foreach (var missing in taken.Except(again.Select(member => member.Key)))
            again[missing] = null;

        (await tenant.Owner.PostAsync($"/api/{collection}", again.ToJsonString())).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_item_of_a_batch_and_a_task_have_the_same_rule_for_null()
    {
        using var tenant = await app.NewTenantAsync();
        var item = """{"description":"x","id":null,"agent_id":null,"input":null,"metadata":null"""
            + ""","timeout_seconds":null,"max_attempts":null}""";

        var task = await tenant.Owner.PostAsync(
            "/api/tasks",
            item.Replace("\"id\":null,\"agent_id\":null", "\"agent_id\":\"echo\"", StringComparison.Ordinal));
        var batch = await tenant.Owner.PostAsync(
            "/api/batches",
            $$"""{"name":"n","agent_id":"echo","description":null,"failure_mode":null,"items":[{{item}}]}""");

        var stored = task.Expect(HttpStatusCode.Created).Json;
        Assert.Equal(JsonValueKind.Null, stored.GetProperty("metadata").ValueKind);
        Assert.Equal(300, stored.GetProperty("timeout_seconds").GetInt32());
        Assert.Equal("continue", batch.Expect(HttpStatusCode.Accepted).Json.GetProperty("failure_mode").GetString());
    }

    [Fact]
    public async Task In_a_merge_patch_null_makes_a_field_what_it_is_when_it_is_left_out()
    {
        using var tenant = await app.NewTenantAsync();
        var hook = (await tenant.Owner.PostAsync("/api/webhooks", new
        {
            url = "https://example.invalid/hook",
            description = "d",
            event_types = new[] { "task.*" },
            ordering = "per_object",
            rate_limit = 5,
            enabled = false,
        })).Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString();
        var path = $"/api/webhooks/{hook}";

        var cleared = (await tenant.Owner.PatchAsync(
            path, """{"description":null,"event_types":null,"ordering":null,"rate_limit":null,"enabled":null}"""))
            .Expect(HttpStatusCode.OK).Json;
        var refused = await tenant.Owner.PatchAsync(path, """{"url":null}""");
        var nameless = await tenant.Owner.PatchAsync($"/api/organizations/{tenant.Id}", """{"name":null}""");

        Assert.Equal(JsonValueKind.Null, cleared.GetProperty("description").ValueKind);
        Assert.Equal(JsonValueKind.Null, cleared.GetProperty("rate_limit").ValueKind);
        Assert.Equal("*", cleared.GetProperty("event_types")[0].GetString());
        Assert.Equal("none", cleared.GetProperty("ordering").GetString());
        Assert.True(cleared.GetProperty("enabled").GetBoolean());
        Assert.Contains("url", refused.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
        Assert.Contains("name", nameless.ExpectProblem(HttpStatusCode.BadRequest).Errors.Keys);
    }

    /// <summary>What the document lets be sent.</summary>
    private static async Task<List<string>> FieldsOfAsync(TestTenant tenant, string collection)
    {
        var document = (await tenant.Owner.GetAsync("/api/openapi.json")).Expect(HttpStatusCode.OK).Json;
        var schema = Resolve(
            document.GetProperty("paths").GetProperty($"/{collection}").GetProperty("post").GetProperty("requestBody")
                .GetProperty("content").GetProperty("application/json").GetProperty("schema"));
        if (schema.TryGetProperty("oneOf", out var kinds))
            schema = Resolve(kinds[0]);
        return [.. schema.GetProperty("properties").EnumerateObject().Select(property => property.Name)];

        JsonElement Resolve(JsonElement node) => node.TryGetProperty("$ref", out var reference)
            ? reference.GetString()![2..].Split('/').Aggregate(document, (at, name) => at.GetProperty(name))
            : node;
    }
}
