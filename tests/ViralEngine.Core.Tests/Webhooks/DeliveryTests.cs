using Microsoft.AspNetCore.Http;
using Npgsql;
using ViralEngine.Core.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Webhooks;

/// <summary>Messages on their way to real receivers that misbehave in each way.</summary>
public sealed class DeliveryTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Delivers_a_signed_message_and_logs_it()
    {
        await using var receiver = await WebhookReceiver.StartAsync(200, ("X-Answer", "yes"));
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(
            receiver.Url, headers: new() { ["Authorization"] = "hush", ["X-Mine"] = "hush" });

        await bed.HappenAsync();
        var delivery = await bed.EndOfAsync(endpoint);

        var webhook = Assert.Single(receiver.Received);
        Assert.Equal(delivery.MessageId, webhook.Id);
        Assert.Equal(delivery.Request.Body, webhook.Body);
        Assert.Equal("application/json", webhook.Headers["Content-Type"]);
        Assert.Equal("hush", webhook.Headers["Authorization"]);
        Assert.StartsWith("v1,", webhook.Headers["webhook-signature"], StringComparison.Ordinal);
        Assert.Equal(WebhookDeliveryStatus.Delivered, delivery.Status);
        Assert.Equal(1, delivery.Attempts);
        Assert.Equal(200, delivery.LastAttempt!.Response!.Status);
        Assert.Equal("answer 200", delivery.LastAttempt.Response.Body);
        Assert.Equal("yes", delivery.LastAttempt.Response.Headers!.Value.GetProperty("X-Answer").GetString());
        var shown = delivery.Request.Headers!.Value;
        Assert.Equal(webhook.Headers["webhook-signature"], shown.GetProperty("webhook-signature").GetString());
        Assert.Equal("[redacted]", shown.GetProperty("Authorization").GetString());
        Assert.Equal("[redacted]", shown.GetProperty("X-Mine").GetString());
    }

    [Fact]
    public async Task Tries_again_after_each_failure_and_gives_up_after_the_last_wait()
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var bed = await new WebhookBed(postgres, WebhookBed.Quick(retries: 3)).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);

        await bed.HappenAsync();
        var delivery = await bed.EndOfAsync(endpoint);

        Assert.Equal(WebhookDeliveryStatus.Failed, delivery.Status);
        Assert.Equal([1, 2, 3, 4], (await bed.AttemptsAsync(endpoint, delivery)).Select(attempt => attempt.Number));
        Assert.Equal(4, receiver.Received.Count);
        Assert.Single(receiver.Received.Select(webhook => webhook.Id).Distinct());
        Assert.NotNull((await bed.ReadAsync(endpoint)).FailingSince);
    }

    [Fact]
    public async Task A_success_ends_the_tries_and_forgets_the_failures()
    {
        await using var receiver = await WebhookReceiver.StartAsync(503);
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);

        await bed.HappenAsync();
        await receiver.WaitForAsync(2);
        receiver.AnswerWith(204);
        var delivery = await bed.EndOfAsync(endpoint);

        Assert.Equal(WebhookDeliveryStatus.Delivered, delivery.Status);
        Assert.True(delivery.Attempts > 2);
        Assert.Null((await bed.ReadAsync(endpoint)).FailingSince);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(304)]
    public async Task Takes_everything_but_2xx_for_a_failure_and_follows_no_redirect(int status)
    {
        await using var target = await WebhookReceiver.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync(status, ("Location", target.Url));
        await using var bed = await new WebhookBed(postgres, WebhookBed.Quick(retries: 1)).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);

        await bed.HappenAsync();
        var delivery = await bed.EndOfAsync(endpoint);

        Assert.Equal(WebhookDeliveryStatus.Failed, delivery.Status);
        Assert.Equal(status, delivery.LastAttempt!.Response!.Status);
        Assert.Empty(target.Received);
    }

    [Fact]
    public async Task Explains_why_there_was_no_answer()
    {
        await using var silent = await WebhookReceiver.StartAsync(
            (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted));
        await using var rude = await WebhookReceiver.StartAsync((http, _) =>
        {
            http.Abort();
            return Task.CompletedTask;
        });
        await using var bed = await new WebhookBed(postgres, WebhookBed.Quick(retries: 1)).StartAsync();
        var silence = await bed.AddAsync(silent.Url);
        var rudeness = await bed.AddAsync(rude.Url);
        var refusal = await bed.AddAsync($"http://127.0.0.1:{FreePort.Take()}/");
        var hostile = await bed.AddAsync("http://169.254.169.254/latest/meta-data");
        var unknown = await bed.AddAsync("http://no-such-host.invalid/");

        await bed.HappenAsync();

        Assert.Equal("No response within 2 s.", (await bed.EndOfAsync(silence)).LastAttempt!.Error);
        Assert.Equal(
            "The connection was closed without a response.", (await bed.EndOfAsync(rudeness)).LastAttempt!.Error);
        Assert.Equal("The connection to the host failed.", (await bed.EndOfAsync(refusal)).LastAttempt!.Error);
        Assert.Equal(
            "The URL points to an address that outgoing calls must not reach.",
            (await bed.EndOfAsync(hostile)).LastAttempt!.Error);
        Assert.NotNull((await bed.EndOfAsync(unknown)).LastAttempt!.Error);
    }

    [Fact]
    public async Task Keeps_the_beginning_of_a_long_answer_and_waits_for_no_end_of_it()
    {
        await using var receiver = await WebhookReceiver.StartAsync(async (http, _) =>
        {
            await http.Response.WriteAsync("\0", http.RequestAborted);
            while (!http.RequestAborted.IsCancellationRequested)
                await http.Response.WriteAsync("endless ", http.RequestAborted);
        });
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);

        await bed.HappenAsync();
        var delivery = await bed.EndOfAsync(endpoint);

        Assert.Equal(WebhookDeliveryStatus.Delivered, delivery.Status);
        Assert.Equal(4095, delivery.LastAttempt!.Response!.Body!.Length); // without the U+0000
        Assert.StartsWith("endless ", delivery.LastAttempt.Response.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(429, false)]
    [InlineData(503, true)]
    public async Task Waits_as_long_as_the_receiver_asks(int status, bool asDate)
    {
        await using var receiver = await WebhookReceiver.StartAsync((http, _) =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.RetryAfter = asDate ? DateTimeOffset.UtcNow.AddMinutes(10).ToString("R") : "600";
            return Task.CompletedTask;
        });
        await using var bed = await new WebhookBed(postgres).StartAsync();
        var endpoint = await bed.AddAsync(receiver.Url);
        var before = DateTime.UtcNow;

        await bed.HappenAsync();
        var delivery = Assert.Single(await bed.WaitUntilAsync(
            endpoint, delivery => delivery is { NextAttemptAt: not null, LastAttempt: not null }, "the first attempt"));

        Assert.InRange(
            delivery.NextAttemptAt!.Value, before.AddMinutes(10).AddSeconds(-2), DateTime.UtcNow.AddMinutes(10.2));
        // It asked for quiet: what happens meanwhile waits too.
        await bed.HappenAsync();
        await using var other = await WebhookReceiver.StartAsync();
        await bed.AddAsync(other.Url);
        await bed.HappenAsync();
        await other.WaitForAsync(1);
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task Sends_no_more_than_the_endpoints_rate_allows()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 2);
        await bed.AddAsync(receiver.Url, rateLimit: 5);

        for (var i = 0; i < 15; i++)
            await bed.HappenAsync();
        var times = (await receiver.WaitForAsync(15)).Select(webhook => webhook.At).Order().ToList();

        // Five may go at once, then five a second: the fifteenth comes two seconds after the first at the earliest.
        Assert.True(times[14] - times[0] > TimeSpan.FromSeconds(1.8), $"15 messages took {times[14] - times[0]}.");
    }

    [Fact]
    public async Task A_slow_endpoint_holds_up_nobody_else()
    {
        await using var slow = await WebhookReceiver.StartAsync(
            (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted));
        await using var quick = await WebhookReceiver.StartAsync();
        var options = WebhookBed.Quick();
        options.TimeoutSeconds = 60;
        await using var bed = await new WebhookBed(postgres, options).StartAsync();
        var slowOne = await bed.AddAsync(slow.Url, ["task.*"]);
        await bed.AddAsync(quick.Url, ["batch.*"]);
        for (var i = 0; i < 200; i++)
            await bed.HappenAsync("task.completed");
        // Two at a time, until it is known to be quick.
        await slow.WaitForAsync(2);

        for (var i = 0; i < 50; i++)
            await bed.HappenAsync("batch.completed");
        await quick.WaitForAsync(50);

        Assert.Equal(2, slow.Received.Count);
        Assert.DoesNotContain(
            await bed.DeliveriesAsync(slowOne), delivery => delivery.Status != WebhookDeliveryStatus.Pending);
        slow.AnswerWith(200);
        await bed.Store.DeleteAsync(bed.Tenant, slowOne.Id, CancellationToken.None);
    }

    [Fact]
    public async Task Several_instances_deliver_each_message_once()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 3);
        var endpoint = await bed.AddAsync(receiver.Url);

        for (var i = 0; i < 300; i++)
            await bed.HappenAsync();
        await bed.WaitUntilAsync(
            endpoint, delivery => delivery.Status == WebhookDeliveryStatus.Delivered, "all deliveries");

        Assert.Equal(300, receiver.Received.Count);
        Assert.Equal(300, receiver.Received.Select(webhook => webhook.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_late_attempt_whose_lease_was_taken_changes_nothing()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("https://example.com/");
        await bed.HappenAsync();
        var first = Assert.Single(await bed.Queue.ClaimAsync(1000, CancellationToken.None), Ours);
        await bed.Db.ExecuteAsync(
            bed.Tenant, "UPDATE viral.webhook_deliveries SET due_at = now() WHERE tenant_id = $1", [bed.Tenant.Value],
            CancellationToken.None);
        var second = Assert.Single(await bed.Queue.ClaimAsync(1000, CancellationToken.None), Ours);

        var success = Answered(200);
        Assert.False(await bed.Results.StoreAsync(first, success, CancellationToken.None));
        Assert.Equal(WebhookDeliveryStatus.Pending, Assert.Single(await bed.DeliveriesAsync(endpoint)).Status);
        Assert.True(await bed.Results.StoreAsync(second, success, CancellationToken.None));

        // What a late attempt came to is nothing, so it is none.
        Assert.Equal(1, (await bed.EndOfAsync(endpoint)).LastAttempt!.Number);

        bool Ours(ClaimedDelivery delivery) => delivery.Tenant == bed.Tenant;
    }

    [Theory]
    [InlineData("by an attempt that finds it gone")]
    [InlineData("by the tenant")]
    public async Task An_endpoint_that_is_disabled_holds_what_an_attempt_gives_back_meanwhile(string disabled)
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("https://example.com/");
        await bed.HappenAsync();
        await bed.HappenAsync();
        var claimed = await bed.Queue.ClaimAsync(1000, CancellationToken.None);
        var (first, second) = (claimed.First(Ours), claimed.Last(Ours));

        // The second attempt is stored while what disables the endpoint waits for the endpoint's row.
        await using var meanwhile = postgres.NewDb();
        await meanwhile.BeginAsync(CancellationToken.None);
        await bed.ResultsOn(meanwhile).StoreAsync(second, Answered(500), CancellationToken.None);
        Task disabling = disabled == "by the tenant"
            ? bed.Store.ChangeAsync(
                bed.Tenant, endpoint.Id, new WebhookChange(null, null, null, null, null, null, Enabled: false),
                CancellationToken.None)
            : bed.Results.StoreAsync(first, Answered(410), CancellationToken.None);
        await WaitsForALockAsync();
        await meanwhile.CommitAsync(CancellationToken.None);
        await disabling;

        var due = await bed.Db.QueryAsync(
            bed.Tenant,
            "SELECT isfinite(due_at) FROM viral.webhook_deliveries WHERE tenant_id = $1 AND id = $2",
            [bed.Tenant.Value, second.Id],
            row => row.GetBoolean(0),
            CancellationToken.None);
        Assert.False(Assert.Single(due));
        Assert.All(await bed.DeliveriesAsync(endpoint), delivery => Assert.Null(delivery.NextAttemptAt));

        bool Ours(ClaimedDelivery delivery) => delivery.Tenant == bed.Tenant;
    }

    [Fact]
    public async Task Keeps_the_order_per_object_where_asked_to()
    {
        var failures = 3;
        await using var receiver = await WebhookReceiver.StartAsync((http, webhook) =>
        {
            if (webhook.Data.GetProperty("number").GetInt32() == 2 && Interlocked.Decrement(ref failures) >= 0)
                http.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 2);
        var endpoint = await bed.AddAsync(receiver.Url, ordering: WebhookOrdering.PerObject);
        var subjects = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7()).ToList();

        for (var number = 1; number <= 10; number++)
        {
            foreach (var subject in subjects)
                await bed.HappenAsync(subject, number, "task.progress");
        }

        await bed.WaitUntilAsync(
            endpoint, delivery => delivery.Status == WebhookDeliveryStatus.Delivered, "all deliveries");

        foreach (var bySubject in receiver.Received.GroupBy(
            webhook => webhook.Data.GetProperty("subject_id").GetGuid()))
        {
            var numbers = bySubject.Select(webhook => webhook.Data.GetProperty("number").GetInt32()).ToList();
            Assert.Equal(numbers.Order(), numbers);
            Assert.Equal(Enumerable.Range(1, 10), numbers.Distinct());
        }
    }

    private static WebhookAttempt Answered(int status) =>
        new(DateTime.UtcNow, TimeSpan.Zero, new Dictionary<string, string>(), status, null, null, null, null);

    /// <summary>Waits until some session of this class's database waits for a lock.</summary>
    private async Task WaitsForALockAsync()
    {
        await using var admin = new NpgsqlConnection(postgres.AdminConnection);
        await admin.OpenAsync();
        await using var waits = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_stat_activity "
            + "WHERE datname = current_database() AND wait_event_type = 'Lock')",
            admin);
        await Eventually.GetAsync(
            async () => (bool)(await waits.ExecuteScalarAsync())!, waiting => waiting,
            "a session that waits for a lock");
    }
}
