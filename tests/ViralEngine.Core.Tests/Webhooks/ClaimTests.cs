using ViralEngine.Core.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Webhooks;

/// <summary>Claims on deliveries while their endpoints change, and claims that come to nothing.</summary>
public sealed class ClaimTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task A_rate_that_comes_and_goes_under_claims_fails_none()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("http://127.0.0.1:9/hook", rateLimit: 1000);
        for (var i = 0; i < 50; i++)
            await bed.HappenAsync();
        using var over = new CancellationTokenSource();
        var changing = Task.Run(async () =>
        {
            await using var db = postgres.NewDb();
            var store = new WebhookStore(
                db, WebhookBed.Box, Microsoft.Extensions.Options.Options.Create(WebhookBed.Quick()));
            for (var i = 0; !over.IsCancellationRequested; i++)
            {
                var change = new WebhookChange(null, null, null, null, RateLimit: i % 2 == 0 ? 0 : 1000, null, null);
                await store.ChangeAsync(bed.Tenant, endpoint.Id, change, CancellationToken.None);
            }
        });

        var claimed = 0;
        for (var i = 0; i < 400; i++)
        {
            foreach (var delivery in await bed.Queue.ClaimAsync(5, CancellationToken.None))
            {
                claimed++;
                await bed.Queue.ReleaseAsync(delivery, TimeSpan.Zero, CancellationToken.None);
            }
        }

        await over.CancelAsync();
        await changing;
        Assert.True(claimed > 0, "Nothing was claimed.");
    }

    [Fact]
    public async Task A_claim_that_was_held_back_is_no_attempt()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        var endpoint = await bed.AddAsync("http://127.0.0.1:9/hook");
        await bed.HappenAsync();
        for (var i = 0; i < 3; i++)
            await bed.Queue.ReleaseAsync(await ClaimAsync(bed), TimeSpan.Zero, CancellationToken.None);
        var held = Assert.Single(await bed.DeliveriesAsync(endpoint));

        await bed.Results.StoreAsync(
            await ClaimAsync(bed),
            new WebhookAttempt(
                DateTime.UtcNow, TimeSpan.Zero, new Dictionary<string, string>(), 200, null, null, null, null),
            CancellationToken.None);

        var sent = Assert.Single(await bed.DeliveriesAsync(endpoint));
        Assert.Equal((0, 1, 1), (held.Attempts, sent.Attempts, sent.LastAttempt!.Number));
        Assert.Equal(1, Assert.Single(await bed.AttemptsAsync(endpoint, sent)).Number);
    }

    [Fact]
    public async Task A_renewal_does_not_wait_for_a_delivery_that_is_being_settled()
    {
        await using var bed = await new WebhookBed(postgres).StartAsync(instances: 0);
        await bed.AddAsync("http://127.0.0.1:9/hook");
        await bed.HappenAsync();
        await bed.HappenAsync();
        var claimed = (await bed.Queue.ClaimAsync(200, CancellationToken.None)).Where(
            delivery => delivery.Tenant == bed.Tenant).ToList();
        await using var settling = postgres.NewDb();
        await settling.BeginAsync(CancellationToken.None);
        await settling.ExecuteAsync(
            bed.Tenant, "UPDATE viral.webhook_deliveries SET tries = tries + 1 WHERE tenant_id = $1 AND id = $2",
            [bed.Tenant.Value, claimed[0].Id],
            CancellationToken.None);

        var renewed = await bed.Queue.RenewAsync(claimed, CancellationToken.None).WaitAsync(Eventually.Bound);

        await settling.RollbackAsync();
        Assert.Equal((2, 1), (claimed.Count, renewed));
        Assert.Equal(2, await bed.Queue.RenewAsync(claimed, CancellationToken.None));
    }

    private static async Task<ClaimedDelivery> ClaimAsync(WebhookBed bed) =>
        (await bed.Queue.ClaimAsync(200, CancellationToken.None)).Single(delivery => delivery.Tenant == bed.Tenant);
}
