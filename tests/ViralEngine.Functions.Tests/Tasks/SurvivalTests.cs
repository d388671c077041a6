using System.Net;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Tasks;

/// <summary>What happens to tasks when the process that holds them is killed.</summary>
public sealed class SurvivalTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private const int Tasks = 500;
    private const int Kills = 5;

    [Fact]
    public async Task Every_accepted_task_ends_exactly_once_though_the_app_is_killed_five_times()
    {
        await using var app = await AppProcess.StartAsync(new AppSettings(postgres));
        using var tenant = await TestTenant.CreateAsync(app.Address, AppSettings.PlatformKey);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 20 });
        var random = new Random(20261124);

        var accepted = new List<string>();
        var submitting = SubmitAllAsync(tenant, agent, accepted);
        for (var kill = 0; kill < Kills; kill++)
        {
            await Eventually.TrueAsync(
                () => AcceptedCount() >= (kill + 1) * Tasks / (Kills + 2), "more tasks to be accepted",
                TimeSpan.FromMinutes(2));
            await Task.Delay(random.Next(20, 300)); // a random moment is the point here
            await app.KillAsync();
            await app.RestartAsync();
        }

        await submitting;
        await Eventually.TrueAsync(
            async () => await CountAsync("status IN ('pending', 'in_progress')") == 0, "all tasks to end",
            TimeSpan.FromMinutes(3));

        Assert.Equal(Tasks, accepted.Count);
        foreach (var id in accepted)
        {
            var task = (await tenant.Owner.GetAsync($"/api/tasks/{id}")).Expect(HttpStatusCode.OK).Json;
            Assert.Equal("completed", task.GetProperty("status").GetString());
            Assert.Equal("one two three", task.GetProperty("result").GetString());
        }

        await AssertHistoriesAsync();

        int AcceptedCount()
        {
            lock (accepted)
                return accepted.Count;
        }
    }

    /// <summary>
    /// The promised fifteen seconds are told by the app: by a task that it starts when they are over.
    /// </summary>
    [Fact]
    public async Task What_a_dead_instance_was_running_runs_again_before_a_task_that_is_due_fifteen_seconds_later()
    {
        await using var cluster = await AppCluster.StartAsync(new AppSettings(postgres), 2);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        var agent = await tenant.NewEchoAsync(new { delay_ms_per_chunk = 60_000 });
        var ids = new List<string>();
        for (var i = 0; i < 12; i++)
            ids.Add(await tenant.SubmitAsync(new { agent_id = agent, description = "one two" }));
        foreach (var id in ids)
            await tenant.WaitForAsync(id, "in_progress");

        // One lane may hold them all: then it is the other instance whose death is felt.
        var (moved, later) = await StartedAfterDeathOfAsync(cluster[0], cluster[1]);
        if (moved.Count == 0)
        {
            await cluster[0].RestartAsync();
            (moved, later) = await StartedAfterDeathOfAsync(cluster[1], cluster[0]);
        }

        Assert.NotEmpty(moved);
        Assert.All(moved, started => Assert.InRange(started, DateTime.MinValue, later));

        async Task<(List<DateTime> Moved, DateTime Later)> StartedAfterDeathOfAsync(AppProcess victim, AppProcess other)
        {
            using var survivor = tenant.At(other);
            await victim.KillAsync();
            var killedAt = DateTime.UtcNow;
            var later = (await survivor.PostAsync(
                "/api/tasks", new { agent_id = agent, description = "later", scheduled_at = killedAt.AddSeconds(15) }))
                .Expect(HttpStatusCode.Created).Json.GetProperty("id").GetString()!;
            foreach (var id in ids)
                await Eventually.TrueAsync(() => RenewedAfterAsync(id, killedAt), $"{id} to be in living hands");
            var laterStarted = await Eventually.GetAsync(
                () => StartedAsync(later), started => started is not null, "the later task to start");
            var moved = new List<DateTime>();
            foreach (var id in ids)
            {
                var started = (await StartedAsync(id))!.Value;
                if (started > killedAt)
                    moved.Add(started);
            }

            foreach (var id in moved.Count > 0 ? [.. ids, later] : new[] { later })
                await survivor.PostAsync($"/api/tasks/{id}/cancel");
            return (moved, laterStarted!.Value);

            // The last time, by the clock of the database.
            async Task<DateTime?> StartedAsync(string id) =>
                (await survivor.GetAsync($"/api/tasks/{id}/history")).Json.GetProperty("events").EnumerateArray()
                    .Where(e => e.GetProperty("type").GetString() == "task.started")
                    .Select(e => (DateTime?)e.GetProperty("created_at").GetDateTime())
                    .LastOrDefault();
        }
    }

    /// <summary>
    /// Submits one after another; a connection that breaks is no answer, and the task is submitted anew.
    /// </summary>
    private static async Task SubmitAllAsync(TestTenant tenant, string agent, List<string> accepted)
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var i = 0; i < Tasks / 4;)
            {
                try
                {
                    var answer = await tenant.Owner.PostAsync(
                        "/api/tasks", new { agent_id = agent, description = "one two three" });
                    answer.Expect(HttpStatusCode.Created);
                    lock (accepted)
                        accepted.Add(answer.Json.GetProperty("id").GetString()!);
                    i++;
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(50);
                }
            }
        }));
    }

    private async Task AssertHistoriesAsync()
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*) FILTER (WHERE ends <> 1), count(*) FILTER (WHERE last <> numbers OR last <> last_event)
            FROM (
                SELECT task.id, task.last_event, count(*) AS numbers, max(event.number) AS last,
                       count(*) FILTER (WHERE event.type IN ('task.completed', 'task.failed', 'task.cancelled')) AS ends
                FROM viral.tasks AS task
                JOIN viral.events AS event ON event.tenant_id = task.tenant_id AND event.subject_id = task.id
                WHERE task.status = 'completed'
                GROUP BY task.id, task.last_event
            ) AS history
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        Assert.Equal(0, reader.GetInt64(0)); // ended not once
        Assert.Equal(0, reader.GetInt64(1)); // an event missing or doubled
    }

    /// <summary>
    /// A lease is for ten seconds: one that ends later than that after a moment was renewed or taken after it.
    /// </summary>
    private async Task<bool> RenewedAfterAsync(string id, DateTime moment) =>
        await CountAsync($"id = '{id}' AND lease_until > '{moment:O}'::timestamptz + interval '10.2 seconds'") == 1;

    private async Task<long> CountAsync(string condition)
    {
        await using var connection = new NpgsqlConnection(postgres.AdminConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM viral.tasks WHERE {condition}", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
