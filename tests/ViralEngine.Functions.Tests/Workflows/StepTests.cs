using System.Net;
using ViralEngine.Testing;
using static ViralEngine.Functions.Tests.Workflows.WorkflowCalls;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>What each type of step does.</summary>
[Trait("Category", "BlackBox")]
public sealed class StepTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    [Fact]
    public async Task A_url_that_must_not_be_reached_fails_the_step_for_good()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.StartAsync(new
        {
            input = new { host = "169.254.169.254" },
            steps = new object[]
            {
                new { id = "call", type = "webhook", method = "GET", url = "http://{{ input.host }}/latest/meta-data" }
            },
        });

        var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");

        Assert.Equal("refused", failed.GetProperty("error").GetProperty("class").GetString());
        Assert.Equal(1, failed.Step("call").GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task Values_keep_their_type_where_a_text_is_one_output()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.StartAsync(new
        {
            input = new { order = new { lines = new[] { 1, 2, 3 }, total = 12.5 } },
            steps = new object[]
            {
                new
                {
                    id = "look", type = "task", agent_id = "echo",
                    description = "{\"confidence\": 0.9, \"tags\": [\"a\"]}",
                    input = new { lines = "{{ input.order.lines }}", text = "total {{ input.order.total }}", n = 7 },
                },
                Echo(
                    "use",
                    "{{ steps.look.output.confidence }} {{ steps.look.output.tags[0] }} {{ steps.look.status }}"),
            },
        });

        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");
        var task = (
            await tenant.Owner.GetAsync($"/api/tasks/{done.Step("look").GetProperty("task_id").GetString()}")).Json;

        Assert.Equal("""{"lines":[1,2,3],"text":"total 12.5","n":7}""", task.GetProperty("input").GetRawText());
        Assert.Equal(id, task.GetProperty("metadata").GetProperty("workflow_id").GetString());
        Assert.Equal("0.9 a completed", done.Step("use").GetProperty("output").GetString());
    }

    [Theory]
    [InlineData("This is terrible, I am furious", 900, "angry")]
    [InlineData("Thanks, great service", 900, "large")]
    [InlineData("Thanks, great service", 20, "default")]
    public async Task A_choice_takes_the_first_branch_that_holds(string text, int amount, string branch)
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.StartAsync(new
        {
            input = new { text, amount },
            steps = new object[]
            {
                new
                {
                    id = "route",
                    type = "choice",
                    conditions = new object[]
                    {
                        new
                        {
                            name = "angry", type = "text_match", value = "{{ input.text }}", text = "furious",
                            steps = new[] { Echo("a", "sorry") }
                        },
                        new
                        {
                            name = "large",
                            type = "all",
                            conditions = new object[]
                            {
                                new { type = "numeric_range", value = "{{ input.amount }}", min = 100 },
                                new
                                {
                                    type = "not",
                                    condition = new
                                    {
                                        type = "regex_match", value = "{{ input.text }}", pattern = "^spam"
                                    }
                                },
                                new
                                {
                                    type = "text_match", value = "{{ input.text }}", text = "THANKS",
                                    mode = "starts_with"
                                },
                            },
                            steps = new[] { Echo("b", "check") },
                        },
                    },
                    @default = new[] { Echo("c", "pay") },
                },
                Echo("after", "{{ steps.route.output.branch }}"),
            },
        });

        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        Assert.Equal(branch, done.Step("after").GetProperty("output").GetString());
        // the choice, one of its branches, and what follows
        Assert.Equal(3, done.GetProperty("steps").GetArrayLength());
    }

    [Fact]
    public async Task Branches_run_side_by_side_and_one_that_fails_does_not_stop_the_others_unless_asked()
    {
        using var tenant = await api.NewTenantAsync();
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        object Parallel(string mode, object other) => new
        {
            steps = new object[]
            {
                new
                {
                    id = "both", type = "parallel", failure_mode = mode, max_concurrency = 2,
                    branches = new object[]
                    {
                        new
                        {
                            name = "bad",
                            steps = new object[]
                            {
                                new { id = "bad", type = "task", agent_id = broken, description = "x" }
                            }
                        },
                        new { name = "good", steps = new[] { other } },
                        new { name = "late", steps = new[] { Echo("late", "late") } },
                    },
                },
            },
        };
        var lenient = await tenant.StartAsync(Parallel("continue", Echo("good", "good")));
        var strict = await tenant.StartAsync(
            Parallel("fail_fast", new { id = "good", type = "task", agent_id = slow, description = "slow one" }));

        var completed = await tenant.Owner.WaitForWorkflowAsync(lenient, "completed");
        var failed = await tenant.Owner.WaitForWorkflowAsync(strict, "failed");

        var output = completed.Step("both").GetProperty("output");
        Assert.Equal((2, 1), (output.GetProperty("completed").GetInt32(), output.GetProperty("failed").GetInt32()));
        Assert.Equal("completed", completed.StatusOf("late"));
        Assert.Equal("cancelled", failed.StatusOf("good"));
        Assert.Equal("bad", failed.GetProperty("error").GetProperty("step").GetString());
        await tenant.WaitForAsync(failed.Step("good").GetProperty("task_id").GetString()!, "cancelled");
    }

    [Fact]
    public async Task A_step_is_retried_by_class_of_error()
    {
        using var tenant = await api.NewTenantAsync();
        var broken = await tenant.NewEchoAsync(new { fail_with = "unavailable" });
        object With(string on) => new
        {
            steps = new object[]
            {
                new
                {
                    id = "call", type = "task", agent_id = broken, description = "x",
                    retry = new { max_attempts = 3, on = new[] { on }, initial_seconds = 0.1 },
                },
            },
        };
        var retried = await tenant.StartAsync(With("unavailable"));
        var final = await tenant.StartAsync(With("rate_limited"));

        Assert.Equal(
            3,
            (await tenant.Owner.WaitForWorkflowAsync(retried, "failed")).Step("call")
                .GetProperty("attempt").GetInt32());
        Assert.Equal(
            1,
            (await tenant.Owner.WaitForWorkflowAsync(final, "failed")).Step("call")
                .GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task A_delay_passes()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.StartAsync(new
        {
            input = new { at = DateTime.UtcNow.AddSeconds(1) },
            steps = new object[]
            {
                new { id = "pause", type = "delay", seconds = 1 },
                new { id = "until", type = "delay", until = "{{ input.at }}" },
                Echo("then", "done"),
            },
        });

        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        var pause = done.Step("pause");
        Assert.True(
            pause.GetProperty("completed_at").GetDateTime() - pause.GetProperty("started_at").GetDateTime()
            >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Cancel_ends_waits_at_once_and_reaches_the_running_task()
    {
        using var tenant = await api.NewTenantAsync();
        using var approver = await tenant.NewClientAsync("approver");
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                new
                {
                    id = "both", type = "parallel",
                    branches = new object[]
                    {
                        new
                        {
                            steps = new object[]
                            {
                                new { id = "run", type = "task", agent_id = slow, description = "one two" }
                            }
                        },
                        new
                        {
                            steps = new object[]
                            {
                                new
                                {
                                    id = "ask", type = "approval", title = "?",
                                    approvers = new { roles = new[] { "approver" } }
                                }
                            }
                        },
                    },
                },
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        var cancelled = (await tenant.Owner.PostAsync($"/api/workflows/{id}/cancel")).Expect(HttpStatusCode.OK).Json;
        (await tenant.Owner.PostAsync($"/api/workflows/{id}/cancel")).ExpectProblem(HttpStatusCode.Conflict);
        (await approver.DecideAsync(id, "ask", "approve")).ExpectProblem(HttpStatusCode.Conflict);

        Assert.Equal("cancelled", cancelled.GetProperty("status").GetString());
        await tenant.WaitForAsync(cancelled.Step("run").GetProperty("task_id").GetString()!, "cancelled");
    }

    [Fact]
    public async Task A_retry_from_a_step_keeps_what_came_before()
    {
        using var tenant = await api.NewTenantAsync();
        var broken = await tenant.NewEchoAsync(new { fail_with = "invalid_request" });
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                Echo("first", "one"),
                new
                {
                    id = "choice", type = "choice",
                    conditions = new object[]
                    {
                        new
                        {
                            type = "boolean", value = "true",
                            steps = new object[]
                            {
                                Echo("inner", "two"),
                                new
                                {
                                    id = "breaks", type = "task", agent_id = broken,
                                    description = "{{ steps.inner.output }} three"
                                }
                            },
                        },
                    },
                },
                Echo("last", "{{ steps.breaks.output }} four"),
            },
        });
        var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");
        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/last")).ExpectProblem(
            HttpStatusCode.Conflict);
        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/nowhere")).ExpectProblem(
            HttpStatusCode.NotFound);
        (await tenant.Owner.PatchAsync($"/api/agents/{broken}", """{"settings":{"fail_with":null}}"""))
            .Expect(HttpStatusCode.OK);

        (await tenant.Owner.PostAsync($"/api/workflows/{id}/retry-from-step/breaks")).Expect(HttpStatusCode.Accepted);
        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed");

        Assert.Equal(2, done.GetProperty("run").GetInt32());
        Assert.Equal("two three four", done.Step("last").GetProperty("output").GetString());
        Assert.Equal(
            failed.Step("inner").GetProperty("task_id").GetString(),
            done.Step("inner").GetProperty("task_id").GetString());
    }

    [Fact]
    public async Task The_graph_shows_the_state_of_each_step()
    {
        using var tenant = await api.NewTenantAsync();
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                Echo("first", "one"),
                new
                {
                    id = "ask", name = "Say \"yes\" | no", type = "approval", title = "?",
                    approvers = new { roles = new[] { "owner" } }
                },
                Echo("end", "two"),
            },
        });
        await tenant.Owner.WaitForGateAsync(id, "ask");

        var graph = (await tenant.Owner.GetAsync($"/api/workflows/{id}/visualize")).Expect(HttpStatusCode.OK).Json;
        var chart = (await tenant.Owner.GetAsync($"/api/workflows/{id}/visualize?format=mermaid"))
            .Expect(HttpStatusCode.OK).Text;

        var states = graph.GetProperty("nodes").EnumerateArray().ToDictionary(
            node => node.GetProperty("id").GetString()!, node => node.GetProperty("status").GetString());
        Assert.Equal(("completed", "waiting", "pending"), (states["first"], states["ask"], states["end"]));
        Assert.StartsWith("flowchart TD\n", chart);
        Assert.Contains("[/\"Say #34;yes#34; #124; no\"/]:::waiting", chart);
        Assert.Contains("n0 --> n1", chart);
        await tenant.Owner.PostAsync($"/api/workflows/{id}/cancel");
    }

    [Theory]
    [InlineData("""{"steps":[]}""", "steps")]
    [InlineData("""{"steps":[{"id":"a","type":"task","agent_id":"nobody","description":"x"}]}""", "steps[0].agent_id")]
    [InlineData(
        """{"steps":[{"id":"a","type":"delay","seconds":0},{"id":"a","type":"delay","seconds":0}]}""", "steps[1].id")]
    [InlineData("""{"steps":[{"id":"a","type":"delay","seconds":0,"wait":1}]}""", "steps[0].wait")]
    [InlineData("""{"steps":[{"id":"a","type":"jump"}]}""", "steps[0].type")]
    [InlineData("""{"definition":{"steps":[{"id":"a","type":"delay"}]}}""", "definition.steps[0].seconds")]
    [InlineData(
        """{"steps":[{"id":"a","type":"task","agent_id":"echo","description":"{{ steps.b.output }}"},"""
        + """{"id":"b","type":"delay","seconds":0}]}""",
        "steps[0].description")]
    [InlineData(
        """{"steps":[{"id":"a","type":"task","agent_id":"echo","description":"x","input":{"y":["{{ oops"]}}]}""",
        "steps[0].input.y[0]")]
    [InlineData(
        """{"steps":[{"id":"d","type":"delay","seconds":0},{"id":"e","type":"delay","seconds":0},"""
        + """{"id":"c","type":"choice","conditions":[{"type":"regex_match","value":"x","pattern":"(a"}]}]}""",
        "steps[2].conditions[0].pattern")]
    [InlineData(
        """{"steps":[{"id":"c","type":"choice","conditions":"""
        + """[{"type":"regex_match","value":"x","pattern":"((a{1,500}){1,500}){1,500}"}]}]}""",
        "steps[0].conditions[0].pattern")]
    [InlineData(
        """{"steps":[{"id":"c","type":"choice","conditions":"""
        + """[{"type":"all","conditions":[{"type":"numeric_range","value":"1"}]}]}]}""",
        "steps[0].conditions[0].conditions[0].min")]
    [InlineData(
        """{"steps":[{"id":"g","type":"approval","title":"t","approvers":{"roles":["viewer"]}}]}""",
        "steps[0].approvers.roles[0]")]
    [InlineData("""{"steps":[{"id":"w","type":"webhook","url":"ftp://example.com"}]}""", "steps[0].url")]
    [InlineData(
        """{"steps":[{"id":"w","type":"webhook","url":"https://example.com/{{ input.x | nope }}"}]}""", "steps[0].url")]
    public async Task A_faulty_definition_is_refused_with_the_path_of_the_fault(string body, string path)
    {
        using var tenant = await api.NewTenantAsync();

        var problem = (await tenant.Owner.PostAsync("/api/workflows", body)).ExpectProblem(HttpStatusCode.BadRequest);

        Assert.Contains(path, problem.Errors.Keys);
    }
}
