using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Webhooks;

[Trait("Category", "BlackBox")]
public sealed class WebhookApiTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact, Trait("Category", "Smoke")]
    public async Task Creates_reads_lists_changes_and_deletes_an_endpoint()
    {
        using var tenant = await api.NewTenantAsync();

        var created = (await tenant.Owner.PostAsync("/api/webhooks", new
        {
            url = "https://example.com/hook",
            description = "Ours",
            event_types = new[] { "task.*", "webhook.disabled" },
            ordering = "per_object",
            rate_limit = 10,
            headers = new Dictionary<string, string> { ["X-Token"] = "hush" },
        })).Expect(HttpStatusCode.Created);
        var path = created.Header("Location")!;
        Assert.Equal($"/api/webhooks/{created.Json.GetProperty("id").GetString()}", path);
        Assert.StartsWith("whsec_", created.Json.GetProperty("secret").GetString(), StringComparison.Ordinal);
        Assert.Equal("per_object", created.Json.GetProperty("ordering").GetString());
        Assert.Equal(
            ["X-Token"], created.Json.GetProperty("header_names").EnumerateArray().Select(name => name.GetString()));

        var read = (await tenant.Owner.GetAsync(path)).Expect(HttpStatusCode.OK);
        Assert.False(read.Json.TryGetProperty("secret", out _));
        Assert.DoesNotContain("hush", read.Text);
        var list = (await tenant.Owner.GetAsync("/api/webhooks")).Expect(HttpStatusCode.OK).Json;
        Assert.Single(list.GetProperty("webhooks").EnumerateArray());

        var changed = (await tenant.Owner.PatchAsync(
            path,
            """{"url": "https://example.com/other", "description": null"""
            + """, "rate_limit": null, "headers": {}, "enabled": false}"""))
            .Expect(HttpStatusCode.OK).Json;
        Assert.Equal("https://example.com/other", changed.GetProperty("url").GetString());
        Assert.Equal(JsonValueKind.Null, changed.GetProperty("description").ValueKind);
        Assert.Equal(JsonValueKind.Null, changed.GetProperty("rate_limit").ValueKind);
        Assert.Empty(changed.GetProperty("header_names").EnumerateArray());
        Assert.Equal("user", changed.GetProperty("disabled_reason").GetString());
        Assert.Equal("per_object", changed.GetProperty("ordering").GetString());
        changed = (await tenant.Owner.PatchAsync(path, new { enabled = true })).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(JsonValueKind.Null, changed.GetProperty("disabled_reason").ValueKind);

        (await tenant.Owner.DeleteAsync(path)).Expect(HttpStatusCode.NoContent);
        (await tenant.Owner.GetAsync(path)).ExpectProblem(HttpStatusCode.NotFound);
        (await tenant.Owner.DeleteAsync(path)).ExpectProblem(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Says_which_field_is_wrong()
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.PostAsync("/api/webhooks", new
        {
            url = "https://example.com",
            event_types = new[] { "tasks.*" },
            ordering = "some",
            rate_limit = 0,
            secret = "whsec_short",
            colour = "red",
        })).ExpectProblem(HttpStatusCode.BadRequest);
        Assert.Equal(["colour", "event_types", "ordering", "rate_limit", "secret"], problem.Errors.Keys.Order());

        problem = (await tenant.Owner.PostAsync("/api/webhooks", new
        {
            url = "http://169.254.169.254/latest",
            headers = new Dictionary<string, string>
            {
                ["webhook-id"] = "1",
                ["Host"] = "a",
                ["X-A"] = "line\nbreak",
                ["X-B"] = "fine"
            },
        })).ExpectProblem(HttpStatusCode.BadRequest);
        Assert.Equal(
            ["headers.Host", "headers.X-A", "headers.webhook-id", "url"],
            problem.Errors.Keys.Order(StringComparer.Ordinal));

        (await tenant.Owner.PostAsync("/api/webhooks", new { })).ExpectProblem(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Another_tenants_endpoint_is_not_found()
    {
        using var tenant = await api.NewTenantAsync();
        using var other = await api.NewTenantAsync();
        var path = (await tenant.Owner.PostAsync("/api/webhooks", new { url = "https://example.invalid/hook" }))
            .Expect(HttpStatusCode.Created).Header("Location")!;
        var delivery = (await tenant.Owner.PostAsync(path + "/test")).Expect(HttpStatusCode.OK).Json.GetProperty("id")
            .GetString();

        foreach (var call in new[]
        {
            other.Owner.GetAsync(path), other.Owner.PatchAsync(
                path, new { enabled = false }), other.Owner.DeleteAsync(path),
            other.Owner.PostAsync(path + "/test"), other.Owner.PostAsync(path + "/rotate-secret"),
            other.Owner.GetAsync(path + "/deliveries"), other.Owner.GetAsync($"{path}/deliveries/{delivery}"),
            other.Owner.PostAsync($"{path}/deliveries/{delivery}/redeliver"),
            other.Owner.PostAsync(path + "/recover?since=2020-01-01T00:00:00Z"),
        })
        {
            (await call).ExpectProblem(HttpStatusCode.NotFound);
        }

        Assert.Empty((await other.Owner.GetAsync("/api/webhooks")).Json.GetProperty("webhooks").EnumerateArray());
    }
}
