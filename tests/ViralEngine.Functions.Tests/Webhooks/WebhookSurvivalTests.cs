using System.Net;
using Npgsql;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Webhooks;

/// <summary>What happens to messages when the process that holds them is killed.</summary>
public sealed class WebhookSurvivalTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Nothing_is_lost_when_the_app_is_killed_between_commit_and_first_attempt()
    {
        var settings = new AppSettings(postgres);
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var doomed = await AppProcess.StartAsync(settings);
        using var tenant = await TestTenant.CreateAsync(doomed.Address, AppSettings.PlatformKey);
        (await tenant.Owner.PostAsync(
            "/api/webhooks", new { url = receiver.Url, event_types = new[] { "task.created" } }))
            .Expect(HttpStatusCode.Created);

        // While somebody holds the endpoint's row no instance claims for it, so the kill comes before the first attempt
        // for certain.
        var accepted = new List<string>();
        await using (var holder = new NpgsqlConnection(postgres.AdminConnection))
        {
            await holder.OpenAsync();
            await using var transaction = await holder.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand(
                "SELECT FROM viral.webhook_endpoints FOR UPDATE", holder, transaction);
            await hold.ExecuteNonQueryAsync();
            for (var i = 0; i < 20; i++)
                accepted.Add(await tenant.SubmitAsync(new { agent_id = "echo", description = "hello" }));
            await doomed.KillAsync();
        }

        Assert.Empty(receiver.Received);

        await using var heir = await AppProcess.StartAsync(settings);
        var webhooks = await receiver.WaitForAsync(20);

        Assert.Equal(
            accepted.Order(), webhooks.Select(webhook => webhook.Data.GetProperty("subject_id").GetString()!).Order());
    }

    /// <summary>
    /// The promised fifteen seconds are told by the app: by a task that it starts when they are over.
    /// </summary>
    [Fact]
    public async Task
        What_a_killed_instance_was_sending_is_sent_again_before_the_start_of_a_task_that_is_due_fifteen_seconds_later()
    {
        await using var receiver = await WebhookReceiver.StartAsync(
            (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted));
        await using var cluster = await AppCluster.StartAsync(new AppSettings(postgres), 1);
        using var tenant = await TestTenant.CreateAsync(cluster[0].Address, AppSettings.PlatformKey);
        (await tenant.Owner.PostAsync(
            "/api/webhooks", new { url = receiver.Url, event_types = new[] { "task.created" } }))
            .Expect(HttpStatusCode.Created);
        // It ends before the kill: its own start must not be taken for that of the later one.
        await tenant.WaitForAsync(
            await tenant.SubmitAsync(new { agent_id = "echo", description = "hello" }), "completed");
        var cut = (await receiver.WaitForAsync(1))[0];
        await using var survivor = await AppProcess.StartAsync(new AppSettings(postgres));
        using var living = tenant.At(survivor);

        await cluster[0].KillAsync();
        receiver.AnswerWith(200);
        (await living.PostAsync("/api/webhooks", new { url = receiver.Url, event_types = new[] { "task.started" } }))
            .Expect(HttpStatusCode.Created);
        (await living.PostAsync(
            "/api/tasks",
            new { agent_id = "echo", description = "later", scheduled_at = DateTime.UtcNow.AddSeconds(15) }))
            .Expect(HttpStatusCode.Created);
        await receiver.WaitForAsync(1, "task.started");

        Assert.Equal(2, receiver.Received.TakeWhile(webhook => webhook.Type != "task.started").Count(
            webhook => webhook.Id == cut.Id));
    }
}
