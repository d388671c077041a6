using Npgsql;
using static Microsoft.Playwright.Assertions;

namespace ViralEngine.Console.Tests;

/// <summary>What a task's page tells of its attempts and of a long history.</summary>
public sealed class TaskAttemptTests(ConsoleUnderTest console) : IClassFixture<ConsoleUnderTest>
{
    [Fact]
    public async Task Each_attempt_has_a_row_with_its_outcome_and_error()
    {
        using var tenant = await console.NewTenantAsync();
        var agent = await tenant.NewEchoAsync(new { fail_with = "unavailable", fail_first_attempts = 1 });
        var task = await tenant.SubmitAsync(new { agent_id = agent, description = "once more" });
        await tenant.WaitForAsync(task, "completed");
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.LooksRightAsync($"/console/tasks/{task}", "task-attempts");

        var rows = window.Page.Locator("#task-attempts tbody tr");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.Nth(0).Locator(".status")).ToHaveTextAsync("failed");
        await Expect(rows.Nth(0).Locator(".fault")).ToHaveTextAsync(
            "unavailable: echo failed with unavailable, as configured.");
        await Expect(rows.Nth(1).Locator(".status")).ToHaveTextAsync("completed");
        await Expect(rows.Nth(1).Locator(".fault")).ToHaveCountAsync(0);
        await Expect(window.Page.Locator("#task-history li")).ToHaveCountAsync(5);
    }

    [Fact]
    public async Task One_attempt_without_an_error_has_no_table()
    {
        using var tenant = await console.NewTenantAsync();
        var task = await tenant.SubmitAsync(new { agent_id = "echo", description = "at once" });
        await tenant.WaitForAsync(task, "completed");
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.Page.GotoAsync($"/console/tasks/{task}");

        await Expect(window.Page.Locator("#task-history li")).ToHaveCountAsync(3);
        await Expect(window.Page.Locator("#task-attempts")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_history_that_is_cut_says_where_the_rest_is()
    {
        using var tenant = await console.NewTenantAsync();
        var task = await tenant.SubmitAsync(new { agent_id = "echo", description = "a long story" });
        await tenant.WaitForAsync(task, "completed");
        await AddEventsAsync(tenant.Id, Guid.Parse(task), 250);
        await using var window = await console.SignInAsync(tenant.OwnerKey);

        await window.Page.GotoAsync($"/console/tasks/{task}");

        await Expect(window.Page.Locator("#task-history li")).ToHaveCountAsync(200);
        await Expect(window.Page.Locator("#task-history")).ToContainTextAsync(
            $"/api/tasks/{task}/history?after=200");
    }

    private async Task AddEventsAsync(Guid tenant, Guid task, int count)
    {
        await using var source = NpgsqlDataSource.Create(console.Postgres.AdminConnection);
        await using var command = source.CreateCommand(
            """
            WITH task AS (
                UPDATE viral.tasks
                SET last_event = last_event + $3
                WHERE tenant_id = $1 AND id = $2
                RETURNING last_event
            )
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT $1, $2, last_event - $3 + number, 'task.progress', '{"status":"in_progress"}'::jsonb, now()
            FROM task
            CROSS JOIN generate_series(1, $3) AS number
            """);
        foreach (var value in new object[] { tenant, task, count })
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }
}
