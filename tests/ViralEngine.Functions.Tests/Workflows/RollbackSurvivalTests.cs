using ViralEngine.Testing;
using static ViralEngine.Functions.Tests.Workflows.RollbackTests;

namespace ViralEngine.Functions.Tests.Workflows;

public sealed class RollbackSurvivalTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Rollbacks_run_in_reverse_order_once_each_though_the_app_is_killed_in_between()
    {
        await using var app = await AppProcess.StartAsync(postgres);
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var slow = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 150 });
        var id = await tenant.StartAsync(await FailingAsync(tenant, slow));

        foreach (var step in Reversed)
        {
            await Eventually.GetAsync(
                () => tenant.Owner.GetAsync($"/api/workflows/{id}"),
                answer => answer.Json.GetProperty("steps").EnumerateArray().Any(run =>
                    run.GetProperty("id").GetString() == step && run.GetProperty("kind").GetString() == "rollback"),
                $"the rollback of {step} to begin");
            await app.KillAsync();
            await app.RestartAsync();
        }

        await tenant.Owner.WaitForWorkflowAsync(id, "failed");
        var events = await tenant.Owner.EventsAsync(id);
        var tasks = (await tenant.Owner.GetAsync("/api/tasks?tag=workflow&limit=100")).Json.GetProperty("tasks")
            .EnumerateArray()
            .Count(task => task.GetProperty("metadata").GetProperty("kind").GetString() == "rollback");

        AssertRollbacks(events);
        Assert.Equal(3, tasks);
    }
}
