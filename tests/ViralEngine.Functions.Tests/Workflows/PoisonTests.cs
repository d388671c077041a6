using Microsoft.AspNetCore.Http;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Workflows;

/// <summary>
/// Whatever comes in and whatever is wrong inside, a workflow comes to an end, and nobody is called without end.
/// </summary>
public sealed class PoisonTests(PoisonTests.PoisonedApp running) : IClassFixture<PoisonTests.PoisonedApp>
{
    [Theory]
    [InlineData("""{"a":"\ud83d"}""")]
    [InlineData("""{"\udc00":"\u0000"}""")]
    [InlineData("""{"a":1e999999}""")]
    [InlineData(
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        + "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")]
    public async Task An_answer_of_any_kind_is_given_on_after_one_call(string body)
    {
        var calls = 0;
        await using var receiver = await LoopbackServer.StartAsync(async http =>
        {
            Interlocked.Increment(ref calls);
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(body);
        });
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var id = await tenant.StartAsync(new
        {
            steps = new object[]
            {
                new { id = "call", type = "webhook", url = receiver.Url },
                new
                {
                    id = "use", type = "task", agent_id = "echo", description = "{{ steps.call.output.status }}",
                    input = new { got = "{{ steps.call.output.body }}" }
                },
            },
        });

        var done = await tenant.Owner.WaitForWorkflowAsync(id, "completed", "failed");

        Assert.Equal("completed", done.GetProperty("status").GetString());
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_workflow_that_cannot_be_read_any_more_fails_and_says_so()
    {
        using var tenant = await TestTenant.CreateAsync(running.App.Address, AppSettings.PlatformKey);
        var id = await tenant.StartAsync(
            new { steps = new object[] { new { id = "wait", type = "delay", seconds = 2 } } });
        await tenant.Owner.WaitForWorkflowAsync(id, "waiting");
        await using (var connection = new NpgsqlConnection(running.Postgres.AdminConnection))
        {
            await connection.OpenAsync();
            await using var broken = new NpgsqlCommand(
                "UPDATE viral.workflows SET definition = $2::json WHERE id = $1", connection)
            {
                // Two steps of one name: a shape that the document allows and the reader does not.
                Parameters =
                {
                    new() { Value = Guid.Parse(id) },
                    new()
                    {
                        Value = """{"steps":[{"id":"wait","type":"delay","seconds":2},"""
                            + """{"id":"wait","type":"delay","seconds":2}]}"""
                    },
                },
            };
            await broken.ExecuteNonQueryAsync();
        }

        var failed = await tenant.Owner.WaitForWorkflowAsync(id, "failed");

        Assert.Equal("internal", failed.GetProperty("error").GetProperty("class").GetString());
        Assert.Equal("cancelled", failed.StatusOf("wait"));
        Assert.Equal("workflow.failed", (await tenant.Owner.EventsAsync(id))[^1].Type);
    }

    public sealed class PoisonedApp : RunningApp
    {
        protected override AppSettings Settings => base.Settings.Expecting("Workflow .* could not be advanced");
    }
}
