using System.Net;
using System.Text.Json;
using ViralEngine.Testing;

namespace ViralEngine.Functions.Tests.Webhooks;

/// <summary>What a receiver of ours gets, and what the delivery log says of it.</summary>
public sealed class WebhookReceiverTests(ApiUnderTest api) : IClassFixture<ApiUnderTest>
{
    private const string OwnSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public async Task Both_reference_verifiers_accept_what_a_task_sends_and_during_a_rotation_under_both_secrets()
    {
        using var tenant = await api.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var (path, secret) = await CreateAsync(tenant, new { url = receiver.Url, event_types = new[] { "task.*" } });

        await tenant.SubmitAsync(new { agent_id = "echo", description = "Grüße 😀" });
        var before = await receiver.WaitForAsync(3);
        var rotated = (await tenant.Owner.PostAsync(path + "/rotate-secret", new { overlap_hours = 1 }))
            .Expect(HttpStatusCode.OK).Json;
        await tenant.SubmitAsync(new { agent_id = "echo", description = "again" });
        var during = (await receiver.WaitForAsync(6)).Skip(3).ToList();
        var third = (
            await tenant.Owner.PostAsync(path + "/rotate-secret", new { overlap_hours = 0, secret = OwnSecret }))
            .Expect(HttpStatusCode.OK).Json;
        await tenant.SubmitAsync(new { agent_id = "echo", description = "and again" });
        var after = (await receiver.WaitForAsync(9)).Skip(6).ToList();

        var newSecret = rotated.GetProperty("secret").GetString()!;
        Assert.Equal(OwnSecret, third.GetProperty("secret").GetString());
        Assert.Equal(
            ["task.completed", "task.created", "task.started"], before.Select(webhook => webhook.Type).Order());
        await ReferenceVerifiers.AssertAcceptAsync(secret, before);
        await ReferenceVerifiers.AssertAcceptAsync(secret, during);
        await ReferenceVerifiers.AssertAcceptAsync(newSecret, during);
        await ReferenceVerifiers.AssertRefuseAsync(newSecret, before);
        await ReferenceVerifiers.AssertAcceptAsync(OwnSecret, after);
        await ReferenceVerifiers.AssertRefuseAsync(newSecret, after);
        await ReferenceVerifiers.AssertRefuseAsync(secret, after);
        await ReferenceVerifiers.AssertRefuseAsync(
            secret, before.Select(webhook => webhook with { Body = webhook.Body + " " }));
        Assert.All(during, webhook => Assert.Equal(2, webhook.Headers["webhook-signature"].Split(' ').Length));
    }

    [Fact]
    public async Task Tries_an_endpoint_out_and_shows_request_and_answer()
    {
        using var tenant = await api.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync(418, ("X-Tea", "pot"));
        var (path, secret) = await CreateAsync(tenant, new { url = receiver.Url, event_types = new[] { "batch.*" } });

        var tested = (await tenant.Owner.PostAsync(path + "/test")).Expect(HttpStatusCode.OK).Json;

        var attempt = tested.GetProperty("last_attempt");
        Assert.Equal("failed", tested.GetProperty("status").GetString());
        Assert.Equal(418, attempt.GetProperty("response").GetProperty("status").GetInt32());
        Assert.Equal("pot", attempt.GetProperty("response").GetProperty("headers").GetProperty("X-Tea").GetString());
        Assert.Equal("answer 418", attempt.GetProperty("response").GetProperty("body").GetString());
        Assert.Equal("webhook.test", Assert.Single(receiver.Received).Type);
        Assert.Equal(receiver.Received[0].Body, tested.GetProperty("request").GetProperty("body").GetString());
        Assert.Equal(tested.GetProperty("message_id").GetString(), receiver.Received[0].Id);
        await ReferenceVerifiers.AssertAcceptAsync(secret, receiver.Received);
        var details = (await tenant.Owner.GetAsync($"{path}/deliveries/{tested.GetProperty("id").GetString()}"))
            .Expect(HttpStatusCode.OK).Json;
        Assert.Single(details.GetProperty("attempts").EnumerateArray());
    }

    [Fact]
    public async Task Lists_deliveries_by_status_type_and_time_and_sends_one_again()
    {
        using var tenant = await api.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var (path, _) = await CreateAsync(tenant, new { url = receiver.Url });
        await tenant.SubmitAsync(new { agent_id = "echo", description = "hello" });
        await receiver.WaitForAsync(3);
        await Eventually.TrueAsync(async () => (await ListAsync("?status=delivered")).Count == 3, "three deliveries");

        Assert.Empty(await ListAsync("?status=failed"));
        Assert.Equal(
            "task.started",
            Assert.Single(await ListAsync("?event_type=task.started")).GetProperty("event_type").GetString());
        Assert.Equal(3, (await ListAsync("?event_type=task.*&created_after=2020-01-01T00:00:00Z")).Count);
        Assert.Empty(await ListAsync("?created_before=2020-01-01T00:00:00Z"));
        var first = (await tenant.Owner.GetAsync(path + "/deliveries?limit=2")).Expect(HttpStatusCode.OK).Json;
        Assert.Single(await ListAsync($"?cursor={first.GetProperty("next_cursor").GetString()}"));

        var delivery = (await ListAsync("?event_type=task.completed"))[0];
        var again = $"{path}/deliveries/{delivery.GetProperty("id").GetString()}/redeliver";
        (await tenant.Owner.PostAsync(again)).Expect(HttpStatusCode.Accepted);
        var webhooks = await receiver.WaitForAsync(4);
        Assert.Equal(delivery.GetProperty("message_id").GetString(), webhooks[3].Id);

        await tenant.Owner.PatchAsync(path, new { enabled = false });
        (await tenant.Owner.PostAsync(again)).ExpectProblem(HttpStatusCode.Conflict);
        (await tenant.Owner.PostAsync($"{path}/deliveries/{Guid.NewGuid()}/redeliver")).ExpectProblem(
            HttpStatusCode.Conflict);

        async Task<List<JsonElement>> ListAsync(string query) =>
        [
            .. (await tenant.Owner.GetAsync(path + "/deliveries" + query)).Expect(HttpStatusCode.OK).Json
                .GetProperty("deliveries").EnumerateArray(),
        ];
    }

    [Fact]
    public async Task Recovers_since_a_time()
    {
        using var tenant = await api.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync(500);
        var (path, _) = await CreateAsync(tenant, new { url = receiver.Url });
        (await tenant.Owner.PostAsync(path + "/test")).Expect(HttpStatusCode.OK);
        receiver.AnswerWith(200);

        var problem = (await tenant.Owner.PostAsync(path + "/recover")).ExpectProblem(HttpStatusCode.BadRequest);
        var none = (await tenant.Owner.PostAsync(path + "/recover?since=2100-01-01T00:00:00Z")).Expect(
            HttpStatusCode.Accepted).Json;
        var one = (await tenant.Owner.PostAsync(path + "/recover?since=2020-01-01T00:00:00Z")).Expect(
            HttpStatusCode.Accepted).Json;

        Assert.Equal(["since"], problem.Errors.Keys);
        Assert.Equal(0, none.GetProperty("queued").GetInt32());
        Assert.Equal(1, one.GetProperty("queued").GetInt32());
        var webhooks = await receiver.WaitForAsync(2);
        Assert.Equal(webhooks[0].Id, webhooks[1].Id);
    }

    [Fact]
    public async Task Recovers_until_a_time()
    {
        using var tenant = await api.NewTenantAsync();
        await using var receiver = await WebhookReceiver.StartAsync(500);
        var (path, _) = await CreateAsync(tenant, new { url = receiver.Url });
        (await tenant.Owner.PostAsync(path + "/test")).Expect(HttpStatusCode.OK);
        var second = (await tenant.Owner.PostAsync(path + "/test")).Expect(HttpStatusCode.OK).Json;
        receiver.AnswerWith(200);
        var since = path + "/recover?since=2020-01-01T00:00:00Z";
        var until = Uri.EscapeDataString(second.GetProperty("created_at").GetString()!);

        var problem = (await tenant.Owner.PostAsync(since + "&until=2020-01-01T00:00:00Z")).ExpectProblem(
            HttpStatusCode.BadRequest);
        var none = (await tenant.Owner.PostAsync(since + "&until=2020-01-02T00:00:00Z")).Expect(
            HttpStatusCode.Accepted).Json;
        var first = (await tenant.Owner.PostAsync($"{since}&until={until}")).Expect(HttpStatusCode.Accepted).Json;

        Assert.Equal(["until"], problem.Errors.Keys);
        Assert.Equal(0, none.GetProperty("queued").GetInt32());
        Assert.Equal(1, first.GetProperty("queued").GetInt32());
        var webhooks = await receiver.WaitForAsync(3);
        Assert.Equal(webhooks[0].Id, webhooks[2].Id);
        Assert.NotEqual(webhooks[1].Id, webhooks[2].Id);
    }

    private static async Task<(string Path, string Secret)> CreateAsync(TestTenant tenant, object endpoint)
    {
        var created = (await tenant.Owner.PostAsync("/api/webhooks", endpoint)).Expect(HttpStatusCode.Created);
        return (created.Header("Location")!, created.Json.GetProperty("secret").GetString()!);
    }
}
