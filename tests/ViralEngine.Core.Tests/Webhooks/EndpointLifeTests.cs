using Microsoft.Extensions.Options;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Webhooks;

/// <summary>Endpoints that are disabled, enabled, tried out, swept; and messages that are sent again.</summary>
public sealed class EndpointLifeTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Gone_disables_an_endpoint_at_once_and_the_others_are_told()
    {
        await using var gone = await WebhookReceiver.StartAsync(410);
        await using var watcher = await WebhookReceiver.StartAsync();
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(gone.Url + "?token=hush", ["task.*"]);
        await bed.AddAsync(watcher.Url, ["webhook.disabled"]);

        await bed.HappenAsync();
        var delivery = await bed.EndOfAsync(endpoint);
        var notice = Assert.Single(await watcher.WaitForAsync(1));
        await bed.HappenAsync();

        Assert.Equal(WebhookDeliveryStatus.Failed, delivery.Status);
        Assert.Equal(1, delivery.Attempts);
        var disabled = await bed.ReadAsync(endpoint);
        Assert.False(disabled.Enabled);
        Assert.Equal(WebhookDisabledReason.Gone, disabled.DisabledReason);
        Assert.Equal("webhook.disabled", notice.Type);
        Assert.Equal(endpoint.Id, notice.Data.GetProperty("webhook_id").GetGuid());
        Assert.Equal("gone", notice.Data.GetProperty("reason").GetString());
        Assert.Equal(gone.Url, notice.Data.GetProperty("url").GetString());
        Assert.Single(await bed.DeliveriesAsync(endpoint));

        await bed.Store.DeleteAsync(bed.Tenant, endpoint.Id, CancellationToken.None);
        Assert.False(await bed.Db.QueryOneAsync(
            bed.Tenant, "SELECT EXISTS (SELECT FROM viral.events WHERE tenant_id = $1 AND subject_id = $2)",
            [bed.Tenant.Value, endpoint.Id], row => row.GetBoolean(0), CancellationToken.None));
    }

    [Fact]
    public async Task Is_disabled_after_days_of_nothing_but_failures()
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var watcher = await WebhookReceiver.StartAsync();
        await using var bed = await new WebhookBed(
            postgres, WebhookBed.Quick(retries: 1000, disableAfter: TimeSpan.FromSeconds(1))).StartAsync(instances: 2);
        var endpoint = await bed.AddAsync(receiver.Url, ["task.*"]);
        await bed.AddAsync(watcher.Url, ["webhook.*"]);

        for (var i = 0; i < 5; i++)
            await bed.HappenAsync();
        var disabled = await Eventually.GetAsync(
            () => bed.ReadAsync(endpoint), found => !found.Enabled, "the endpoint to be disabled");
        await watcher.WaitForAsync(1);

        Assert.Equal(WebhookDisabledReason.Failing, disabled.DisabledReason);
        Assert.True(disabled.DisabledAt - disabled.FailingSince >= TimeSpan.FromSeconds(1));
        Assert.Single(watcher.Received);
        // What waits is held, and goes on when the endpoint is enabled again.
        await bed.WaitUntilAsync(endpoint, delivery => delivery.NextAttemptAt is null, "what waits to be held");
        receiver.AnswerWith(200);
        await bed.Store.ChangeAsync(
            bed.Tenant, endpoint.Id, new WebhookChange(null, null, null, null, null, null, Enabled: true),
            CancellationToken.None);
        await bed.WaitUntilAsync(
            endpoint, delivery => delivery.Status == WebhookDeliveryStatus.Delivered, "what was held");
        Assert.Null((await bed.ReadAsync(endpoint)).DisabledReason);
    }

    [Fact]
    public async Task Sends_a_delivery_again_with_the_same_id()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);
        await bed.HappenAsync();
        var delivery = await bed.EndOfAsync(endpoint);

        Assert.True(await bed.Log.RedeliverAsync(bed.Tenant, endpoint.Id, delivery.Id, CancellationToken.None));
        Assert.False(await bed.Log.RedeliverAsync(bed.Tenant, endpoint.Id, Guid.NewGuid(), CancellationToken.None));
        var webhooks = await receiver.WaitForAsync(2);

        Assert.Equal(webhooks[0].Id, webhooks[1].Id);
        Assert.Equal(webhooks[0].Body, webhooks[1].Body);
        Assert.Equal(2, (await bed.EndOfAsync(endpoint)).Attempts);
    }

    [Fact]
    public async Task Recovers_everything_that_was_given_up_since_a_time()
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var bed = await new WebhookBed(postgres, WebhookBed.Quick(retries: 1)).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);
        await bed.HappenAsync();
        await bed.EndOfAsync(endpoint);
        var since = await bed.Db.QueryOneAsync(
            bed.Tenant, "SELECT clock_timestamp()", [], row => row.GetDateTime(0), CancellationToken.None);
        for (var i = 0; i < 20; i++)
            await bed.HappenAsync();
        await bed.WaitUntilAsync(
            endpoint, delivery => delivery.Status == WebhookDeliveryStatus.Failed, "all to be given up");

        receiver.AnswerWith(200);
        var queued = await bed.Log.RecoverAsync(bed.Tenant, endpoint.Id, since, null, CancellationToken.None);
        await Eventually.TrueAsync(
            async () => (await bed.DeliveriesAsync(endpoint, new(WebhookDeliveryStatus.Delivered))).Count == 20,
            "20 recoveries");

        Assert.Equal(20, queued);
        Assert.Single(await bed.DeliveriesAsync(endpoint, new(WebhookDeliveryStatus.Failed)));
        Assert.Equal(20, (await bed.DeliveriesAsync(endpoint, new(CreatedAfter: since))).Count);
        Assert.Equal(21, (await bed.DeliveriesAsync(endpoint, new(EventType: "task.*"))).Count);
        Assert.Empty(await bed.DeliveriesAsync(endpoint, new(EventType: "task.failed")));
    }

    [Fact]
    public async Task A_test_is_sent_once_whatever_the_endpoint_subscribes_to_and_its_outcome_told()
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url, ["batch.completed"]);

        var failed = (await bed.Test.RunAsync(bed.Tenant, endpoint.Id, "api_key:1", CancellationToken.None))!;
        receiver.AnswerWith(200);
        var delivered = (await bed.Test.RunAsync(bed.Tenant, endpoint.Id, "api_key:1", CancellationToken.None))!;

        Assert.Equal((WebhookDeliveryStatus.Failed, 500), (failed.Status, failed.LastAttempt!.Response!.Status));
        Assert.Equal(
            (WebhookDeliveryStatus.Delivered, 200), (delivered.Status, delivered.LastAttempt!.Response!.Status));
        Assert.Equal(["webhook.test", "webhook.test"], receiver.Received.Select(webhook => webhook.Type));
        Assert.Null(await bed.Test.RunAsync(bed.Tenant, Guid.NewGuid(), "api_key:1", CancellationToken.None));
    }

    [Fact]
    public async Task Old_messages_are_swept_with_all_that_hangs_on_them()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);
        await bed.HappenAsync();
        await bed.EndOfAsync(endpoint);
        await bed.Db.ExecuteAsync(
            bed.Tenant,
            "UPDATE viral.webhook_messages SET created_at = now() - interval '31 days' WHERE tenant_id = $1",
            [bed.Tenant.Value],
            CancellationToken.None);
        await bed.HappenAsync();

        var swept = await new WebhookSweeper(bed.Db, Options.Create(new WebhooksOptions()))
            .RunAsync(CancellationToken.None);

        Assert.Equal(1, swept);
        Assert.Single(await bed.DeliveriesAsync(endpoint));
    }

    [Fact]
    public async Task Secrets_are_sealed_anew_with_the_first_key_of_the_ring()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        await bed.AddAsync("https://example.com/", headers: new() { ["X-Mine"] = "hush" });
        var box = new SecretBox(Options.Create(new SecretsOptions
        {
            Keys =
            [
                "two:HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ],
        }));

        await new WebhookSecretRotation(bed.Db, box).RunAsync(CancellationToken.None);

        var boxes = await bed.Db.QueryOneAsync(
            bed.Tenant,
            """
            SELECT secret.secret, endpoint.headers
            FROM viral.webhook_endpoints AS endpoint
            JOIN viral.webhook_secrets AS secret ON secret.endpoint_id = endpoint.id
            """,
            [],
            row => (Secret: row.GetFieldValue<byte[]>(0), Headers: row.GetFieldValue<byte[]>(1)),
            CancellationToken.None);
        Assert.False(box.IsStale(boxes.Secret));
        Assert.False(box.IsStale(boxes.Headers));
        Assert.Equal("hush", WebhookHeaders.Open(box, bed.Tenant, boxes.Headers)["x-mine"]);
    }
}
