using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Agents;

[Trait("Category", "BlackBox")]
public sealed class AgentEndpointsTests(ApiUnderTest app) : IClassFixture<ApiUnderTest>
{
    private const string Secret = "sk-live-0123456789abcdef";

    [Fact]
    public async Task Creates_reads_lists_replaces_and_deletes_an_agent()
    {
        using var api = await NewTenantAsync();

        var created = (await api.PostAsync("/api/agents", new
        {
            name = "slow",
            kind = "echo",
            description = "For tests.",
            settings = new { delay_ms_per_chunk = 5 },
        })).Expect(HttpStatusCode.Created);
        var id = created.Json.GetProperty("id").GetString()!;
        Assert.Equal($"/api/agents/{id}", created.Header("Location"));
        Assert.Equal(5, created.Json.GetProperty("settings").GetProperty("delay_ms_per_chunk").GetInt32());
        Assert.Equal("echo", created.Json.GetProperty("kind").GetString());

        var read = (await api.GetAsync($"/api/agents/{id}")).Expect(HttpStatusCode.OK);
        Assert.Equal(created.Text, read.Text);
        var list = (await api.GetAsync("/api/agents?kind=echo&name=slow")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(id, Assert.Single(list.GetProperty("agents").EnumerateArray()).GetProperty("id").GetString());

        var replaced = (await api.PutAsync($"/api/agents/{id}", new { name = "fast", kind = "echo" }))
            .Expect(HttpStatusCode.OK).Json;
        Assert.Equal("fast", replaced.GetProperty("name").GetString());
        Assert.Equal(JsonValueKind.Null, replaced.GetProperty("description").ValueKind);
        Assert.Equal(0, replaced.GetProperty("settings").GetProperty("delay_ms_per_chunk").GetInt32());

        (await api.DeleteAsync($"/api/agents/{id}")).Expect(HttpStatusCode.NoContent);
        (await api.GetAsync($"/api/agents/{id}")).ExpectProblem(HttpStatusCode.NotFound);
        (await api.DeleteAsync($"/api/agents/{id}")).ExpectProblem(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Sends_kept_secrets_to_no_other_host_than_they_were_given_for()
    {
        using var api = await NewTenantAsync();
        var path = "/api/agents/" + Id(await CreateAsync(api, new
        {
            name = "mine",
            kind = "openai",
            api_key = Secret,
            settings = new { model = "m", base_url = "https://a.example.com/v1" },
        }));

        var elsewhere = new { settings = new { base_url = "https://b.example.com/v1" } };
        var problem = (await api.PatchAsync(path, elsewhere)).ExpectProblem(HttpStatusCode.BadRequest);
        (await api.PatchAsync(path, new { settings = new { base_url = "https://a.example.com/v2" } }))
            .Expect(HttpStatusCode.OK);
        (await api.PatchAsync(path, new { elsewhere.settings, api_key = Secret })).Expect(HttpStatusCode.OK);

        Assert.Contains("api_key", problem.Errors.Keys);
    }

    [Fact]
    public async Task Says_which_field_is_wrong()
    {
        using var api = await NewTenantAsync();

        var problem = (await api.PostAsync("/api/agents", new
        {
            name = "echo",
            kind = "http",
            api_key = "a key",
            colour = "red",
            fallback_agent_ids = new[] { "x" },
        })).ExpectProblem(HttpStatusCode.BadRequest);
        Assert.Equal(["api_key", "colour", "fallback_agent_ids[0]"], problem.Errors.Keys.Order());

        problem = (await api.PostAsync("/api/agents", new
        {
            name = "echo",
            kind = "http",
            settings = new { url = "http://169.254.169.254/", color = 1 },
        })).ExpectProblem(HttpStatusCode.BadRequest);
        Assert.Equal(["name", "settings.color", "settings.url"], problem.Errors.Keys.Order());

        problem = (await api.PostAsync("/api/agents", new { name = "a", kind = "martian" })).ExpectProblem(
            HttpStatusCode.BadRequest);
        Assert.Equal(["Must be one of echo, http, openai."], problem.Errors["kind"]);
    }

    [Fact]
    public async Task Keeps_names_unique_and_fallbacks_whole()
    {
        using var api = await NewTenantAsync();
        var a = Id(await CreateAsync(api, new { name = "a", kind = "echo" }));
        var b = Id(await CreateAsync(api, new { name = "b", kind = "echo", fallback_agent_ids = new[] { a } }));

        (await api.PostAsync("/api/agents", new { name = "a", kind = "echo" })).ExpectProblem(HttpStatusCode.Conflict);
        (await api.PatchAsync($"/api/agents/{b}", new { name = "a" })).ExpectProblem(HttpStatusCode.Conflict);
        (await api.PatchAsync(
            $"/api/agents/{b}", new { kind = "http", settings = new { url = "https://example.com" } }))
            .ExpectProblem(HttpStatusCode.BadRequest);
        (await api.PatchAsync($"/api/agents/{b}", new { fallback_agent_ids = new[] { b } })).ExpectProblem(
            HttpStatusCode.BadRequest);
        (await api.PatchAsync($"/api/agents/{b}", new { fallback_agent_ids = new[] { a, a } })).ExpectProblem(
            HttpStatusCode.BadRequest);
        var missing = (await api.PatchAsync(
            $"/api/agents/{b}", new { fallback_agent_ids = new[] { a, Guid.NewGuid().ToString() } }))
            .ExpectProblem(HttpStatusCode.BadRequest);
        var inUse = (await api.DeleteAsync($"/api/agents/{a}")).ExpectProblem(HttpStatusCode.Conflict);

        Assert.Equal(["fallback_agent_ids[1]"], missing.Errors.Keys);
        Assert.Equal("The agent is a fallback of b.", inUse.Detail);
        (await api.PatchAsync($"/api/agents/{b}", new { fallback_agent_ids = Array.Empty<string>() }))
            .Expect(HttpStatusCode.OK);
        (await api.DeleteAsync($"/api/agents/{a}")).Expect(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Built_in_agents_are_there_and_stay_as_they_are()
    {
        using var api = await NewTenantAsync();

        var echo = (await api.GetAsync("/api/agents/echo")).Expect(HttpStatusCode.OK).Json;

        Assert.True(echo.GetProperty("built_in").GetBoolean());
        (await api.PutAsync("/api/agents/echo", new { name = "x", kind = "echo" })).ExpectProblem(
            HttpStatusCode.Conflict);
        (await api.DeleteAsync("/api/agents/http")).ExpectProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Another_tenant_s_agent_is_not_found()
    {
        using var api = await NewTenantAsync();
        using var other = await NewTenantAsync();
        var path = $"/api/agents/{Id(await CreateAsync(api, new { name = "mine", kind = "echo" }))}";

        (await other.GetAsync(path)).ExpectProblem(HttpStatusCode.NotFound);
        (await other.PutAsync(path, new { name = "theirs", kind = "echo" })).ExpectProblem(HttpStatusCode.NotFound);
        (await other.PatchAsync(path, new { name = "theirs" })).ExpectProblem(HttpStatusCode.NotFound);
        (await other.DeleteAsync(path)).ExpectProblem(HttpStatusCode.NotFound);
        (await other.PostAsync(path + "/test")).ExpectProblem(HttpStatusCode.NotFound);
        Assert.Empty((await other.GetAsync("/api/agents")).Json.GetProperty("agents").EnumerateArray());
        (await api.GetAsync(path)).Expect(HttpStatusCode.OK);
    }

    private static string Id(ApiResponse created) => created.Json.GetProperty("id").GetString()!;

    private static async Task<ApiResponse> CreateAsync(ApiClient api, object agent) =>
        (await api.PostAsync("/api/agents", agent)).Expect(HttpStatusCode.Created);

    private async Task<ApiClient> NewTenantAsync() => (await app.NewTenantAsync()).Owner;
}
