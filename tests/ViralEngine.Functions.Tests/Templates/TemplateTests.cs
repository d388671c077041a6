using System.Net;
using ViralEngine.Functions.Tests.Workflows;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Templates;

[Trait("Category", "BlackBox")]
public sealed class TemplateTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task A_workflow_starts_from_a_version_with_parameters_that_are_checked()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await CreateAsync(tenant, "Hello {{ input.name }}, {{ input.times }}");
        (await tenant.Owner.PutAsync($"/api/workflow-templates/{id}", Template("Goodbye {{ input.name }}")))
            .Expect(HttpStatusCode.OK);

        var wrong = (await tenant.Owner.PostAsync($"/api/workflows/from-template/{id}", new
        {
            parameters = new { times = 11, colour = "puce", other = 1 },
        })).ExpectProblem(HttpStatusCode.BadRequest);
        var old = await StartAsync(tenant, id, new { version = 1, parameters = new { name = "Ada", colour = "red" } });
        var latest = await StartAsync(tenant, id, new { parameters = new { name = "Ada" } });
        (await tenant.Owner.DeleteAsync($"/api/workflow-templates/{id}")).Expect(HttpStatusCode.NoContent);

        Assert.Equal(
            ["parameters.colour", "parameters.name", "parameters.other", "parameters.times"],
            wrong.Errors.Keys.Order());
        var first = await tenant.Owner.WaitForWorkflowAsync(old, "completed");
        Assert.Equal("Hello Ada, 3", first.Step("say").GetProperty("output").GetString());
        Assert.Equal(
            (id, 1), (first.GetProperty("template_id").GetString(), first.GetProperty("template_version").GetInt32()));
        Assert.Equal(
            "Goodbye Ada", (await tenant.Owner.WaitForWorkflowAsync(latest, "completed")).Step("say")
                .GetProperty("output").GetString());
    }

    [Fact]
    public async Task What_is_private_is_nobody_elses_and_what_is_public_is_read_only()
    {
        using var tenant = await api.NewTenantAsync();
        using var stranger = await api.NewTenantAsync();
        using var operation = await tenant.NewClientAsync("operator");
        var hidden = await CreateAsync(tenant, "x");
        var shared = await CreateAsync(tenant, "Hi {{ input.name }}", "public");

        (await operation.PostAsync("/api/workflow-templates", Template("x", "public"))).ExpectProblem(
            HttpStatusCode.Forbidden);
        (await stranger.Owner.GetAsync($"/api/workflow-templates/{hidden}")).ExpectProblem(HttpStatusCode.NotFound);
        (await stranger.Owner.PostAsync($"/api/workflows/from-template/{hidden}", new { })).ExpectProblem(
            HttpStatusCode.NotFound);
        (await stranger.Owner.PutAsync($"/api/workflow-templates/{shared}", Template("x"))).ExpectProblem(
            HttpStatusCode.NotFound);
        (await stranger.Owner.DeleteAsync($"/api/workflow-templates/{shared}")).ExpectProblem(HttpStatusCode.NotFound);
        var listed = (await stranger.Owner.GetAsync("/api/workflow-templates/public?limit=100"))
            .Expect(HttpStatusCode.OK).Json;
        var started = await StartAsync(stranger, shared, new { parameters = new { name = "Bob" } });

        var ids = listed.GetProperty("workflow_templates").EnumerateArray().Select(
            each => each.GetProperty("id").GetString()).ToList();
        Assert.Contains(shared, ids);
        Assert.DoesNotContain(hidden, ids);
        Assert.Equal(
            0,
            (await stranger.Owner.GetAsync("/api/workflow-templates")).Json
                .GetProperty("workflow_templates").GetArrayLength());
        Assert.Equal(
            "Hi Bob",
            (await stranger.Owner.WaitForWorkflowAsync(started, "completed")).Step("say")
                .GetProperty("output").GetString());
    }

    [Fact]
    public async Task What_is_public_names_nothing_that_is_its_owner_s_own()
    {
        using var tenant = await api.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { });
        object Naming(string visibility) => new
        {
            name = "Named",
            visibility,
            definition = new
            {
                steps = new object[]
                {
                    new
                    {
                        id = "call", type = "task", agent_id = agent, description = "x",
                        rollback = new { type = "task", agent_id = agent, description = "x" }
                    },
                },
            },
        };
        var hidden = (await tenant.Owner.PostAsync("/api/workflow-templates", Naming("private")))
            .Expect(HttpStatusCode.Created)
            .Json.GetProperty("id").GetString();

        var refused = (await tenant.Owner.PostAsync("/api/workflow-templates", Naming("public"))).ExpectProblem(
            HttpStatusCode.BadRequest);
        var older = (await tenant.Owner.PutAsync($"/api/workflow-templates/{hidden}", Template("x", "public")))
            .ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Equal(
            ["definition.steps[0].agent_id", "definition.steps[0].rollback.agent_id"], refused.Errors.Keys.Order());
        Assert.Contains("Version 1", Assert.Single(older.Errors["visibility"]));
    }

    [Fact]
    public async Task An_agent_that_is_not_there_is_told_by_its_place_in_the_request()
    {
        using var tenant = await api.NewTenantAsync();
        var steps = new object[] { new { id = "call", type = "task", agent_id = "nobody", description = "x" } };

        var inside = (await tenant.Owner.PostAsync("/api/workflows", new { definition = new { steps } })).ExpectProblem(
            HttpStatusCode.BadRequest);
        var bare = (await tenant.Owner.PostAsync("/api/workflows", new { steps })).ExpectProblem(
            HttpStatusCode.BadRequest);

        Assert.Equal(
            ("definition.steps[0].agent_id", "steps[0].agent_id"),
            (Assert.Single(inside.Errors.Keys), Assert.Single(bare.Errors.Keys)));
    }

    [Theory]
    [InlineData("""[{"name":"a","type":"enum"}]""", "parameters[0].values")]
    [InlineData("""[{"name":"a","type":"string","pattern":"(a"}]""", "parameters[0].pattern")]
    [InlineData("""[{"name":"a","type":"integer","default":"x"}]""", "parameters[0].default")]
    [InlineData("""[{"name":"a","type":"integer","min":2,"max":1}]""", "parameters[0].min")]
    [InlineData("""[{"name":"a","type":"string"},{"name":"a","type":"string"}]""", "parameters[1].name")]
    [InlineData("""[{"name":"a","type":"colour"}]""", "parameters[0].type")]
    [InlineData("""{"a":1}""", "parameters")]
    public async Task A_faulty_parameter_is_refused_by_its_path(string parameters, string path)
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.PostAsync(
            "/api/workflow-templates",
            $$"""{"name":"t","parameters":{{parameters}},"steps":[{"id":"d","type":"delay","seconds":0}]}"""))
            .ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Contains(path, problem.Errors.Keys);
    }

    private static async Task<string> CreateAsync(TestTenant tenant, string says, string visibility = "private") =>
        (await tenant.Owner.PostAsync("/api/workflow-templates", Template(says, visibility)))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    private static async Task<string> StartAsync(TestTenant tenant, string template, object body) =>
        (await tenant.Owner.PostAsync($"/api/workflows/from-template/{template}", body))
            .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;

    private static object Template(string says, string visibility = "private") => new
    {
        name = "Greeting",
        visibility,
        parameters = new object[]
        {
            new { name = "name", type = "string", required = true, min = 1, max = 50, pattern = "^[A-Z]" },
            new { name = "times", type = "integer", min = 1, max = 10, @default = 3 },
            new { name = "colour", type = "enum", values = new[] { "red", "blue" } },
        },
        steps = new object[] { WorkflowCalls.Echo("say", says) },
    };
}
