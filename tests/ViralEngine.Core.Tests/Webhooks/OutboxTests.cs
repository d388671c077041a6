using System.Text.Json;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Webhooks;

/// <summary>What happens becomes messages in the transaction in which it happens. No instance delivers here.</summary>
public sealed class OutboxTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Queues_one_message_for_every_endpoint_that_subscribed()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var all = await bed.AddAsync("https://example.com/all", ["*"]);
        var tasks = await bed.AddAsync("https://example.com/tasks", ["batch.*", "task.*"]);
        var one = await bed.AddAsync("https://example.com/one", ["task.completed"]);
        var other = await bed.AddAsync("https://example.com/other", ["task.failed", "workflow.*"]);

        var subject = await bed.HappenAsync("task.completed");

        var queued = Assert.Single(await bed.DeliveriesAsync(all));
        Assert.Equal(queued.MessageId, Assert.Single(await bed.DeliveriesAsync(tasks)).MessageId);
        Assert.Equal(queued.MessageId, Assert.Single(await bed.DeliveriesAsync(one)).MessageId);
        Assert.Empty(await bed.DeliveriesAsync(other));
        Assert.Matches("^msg_[0-9a-f]{32}$", queued.MessageId);
        Assert.Equal('7', queued.MessageId[16]);
        Assert.Equal(subject, queued.SubjectId);
        Assert.Matches(
            """^{"type" : "task.completed", "timestamp" : "20..-..-..T..:..:..\.......Z", "data" : {.*}}$""",
            queued.Request.Body);
        var data = JsonElement.Parse(queued.Request.Body).GetProperty("data");
        Assert.Equal("completed", data.GetProperty("status").GetString());
        Assert.Equal(subject, data.GetProperty("subject_id").GetGuid());
        Assert.Equal(1, data.GetProperty("number").GetInt32());
    }

    [Fact]
    public async Task Queues_every_event_of_a_statement_that_stores_many()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("https://example.com/");

        await bed.Db.ExecuteAsync(
            bed.Tenant,
            """
            INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
            SELECT $1, gen_random_uuid(), number, 'task.created', '{}', now()
            FROM generate_series(1, 500) AS number
            """,
            [bed.Tenant.Value],
            CancellationToken.None);

        var deliveries = await bed.DeliveriesAsync(endpoint);
        Assert.Equal(500, deliveries.Count);
        Assert.Equal(500, deliveries.Select(delivery => delivery.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task Queues_nothing_of_what_is_rolled_back()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("https://example.com/");

        await bed.Db.BeginAsync(CancellationToken.None);
        await bed.HappenAsync();
        await bed.Db.RollbackAsync();

        Assert.Empty(await bed.DeliveriesAsync(endpoint));
    }

    [Fact]
    public async Task Tells_no_tenant_what_happens_to_another()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        await using var others = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("https://example.com/");
        var foreign = await others.AddAsync("https://example.com/");

        await bed.HappenAsync();

        Assert.Single(await bed.DeliveriesAsync(endpoint));
        Assert.Empty(await others.DeliveriesAsync(foreign));
        Assert.Empty(await others.Log.ListAsync(
            others.Tenant, endpoint.Id, new WebhookDeliveryFilter(), null, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Stores_no_secret_in_the_clear()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var secret = WebhookSecret.Create();
        await bed.Store.AddAsync(
            bed.Tenant,
            Guid.CreateVersion7(),
            new NewWebhookEndpoint(
                "https://example.com/", null, ["*"], WebhookOrdering.None, null,
                new Dictionary<string, string> { ["Authorization"] = "hush-hush" }, Enabled: true, "test"),
            secret,
            CancellationToken.None);

        var stored = await bed.Db.QueryAsync(
            DbScope.AllTenants,
            """
            SELECT endpoint::text || secret::text || encode(secret.secret, 'escape')
                   || encode(endpoint.headers, 'escape')
            FROM viral.webhook_endpoints AS endpoint
            JOIN viral.webhook_secrets AS secret ON secret.endpoint_id = endpoint.id
            WHERE endpoint.tenant_id = $1
            """,
            [bed.Tenant.Value],
            row => row.GetString(0),
            CancellationToken.None);

        Assert.DoesNotContain(secret, Assert.Single(stored));
        Assert.DoesNotContain("hush-hush", stored[0]);
    }
}
