using Microsoft.Extensions.Options;
using ViralEngine.Core.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Webhooks;

/// <summary>How the places for deliveries are shared, and what a claim survives.</summary>
public sealed class ShareTests : IAsyncLifetime
{
    private const int Places = 12;
    private readonly TestPostgres postgres = new();

    public Task InitializeAsync() => postgres.InitializeAsync();

    public Task DisposeAsync() => postgres.DisposeAsync();

    [Fact]
    public async Task A_tenant_with_many_slow_endpoints_leaves_places_for_the_next()
    {
        await using var noisy = await NewBedAsync();
        await using var quiet = await NewBedAsync();
        for (var endpoint = 0; endpoint < 20; endpoint++)
            await noisy.AddAsync($"https://slow{endpoint}.example/");
        for (var message = 0; message < 20; message++)
            await noisy.HappenAsync();

        var first = await noisy.Queue.ClaimAsync(Places, [], CancellationToken.None);
        await quiet.AddAsync("https://quick.example/");
        await quiet.HappenAsync();
        var second = await noisy.Queue.ClaimAsync(Places - first.Count, first, CancellationToken.None);

        Assert.InRange(first.Count, 1, Places / 2);
        Assert.Equal(quiet.Tenant, Assert.Single(second, delivery => delivery.Tenant == quiet.Tenant).Tenant);
    }

    [Fact]
    public async Task Tenants_that_want_places_at_once_get_as_many_each()
    {
        await using var one = await NewBedAsync();
        await using var two = await NewBedAsync();
        foreach (var (bed, endpoints) in new[] { (one, 1), (two, 20) })
        {
            for (var endpoint = 0; endpoint < endpoints; endpoint++)
                await ProvenAsync(bed, await bed.AddAsync($"https://e{endpoint}.example/"));
            for (var message = 0; message < 10; message++)
                await bed.HappenAsync();
        }

        var claimed = await one.Queue.ClaimAsync(Places, [], CancellationToken.None);

        Assert.Equal((4, 4), (claimed.Count(delivery => delivery.Tenant == one.Tenant), claimed.Count(
            delivery => delivery.Tenant == two.Tenant)));
    }

    [Fact]
    public async Task An_endpoint_that_is_known_to_be_quick_does_not_wait_for_those_that_are_not()
    {
        await using var bed = await NewBedAsync();
        for (var endpoint = 0; endpoint < 20; endpoint++)
            await bed.AddAsync($"https://new{endpoint}.example/");
        await bed.HappenAsync();
        var unproven = await bed.Queue.ClaimAsync(Places, [], CancellationToken.None);
        var quick = await bed.AddAsync("https://quick.example/");
        await ProvenAsync(bed, quick);

        await bed.HappenAsync();
        var next = await bed.Queue.ClaimAsync(Places - unproven.Count, unproven, CancellationToken.None);

        Assert.Equal(Places / 4, unproven.Count);
        Assert.Contains(next, delivery => delivery.Url == quick.Url);
    }

    [Theory]
    [InlineData(0.1, true, "fast")]
    [InlineData(0.1, false, null)]
    [InlineData(1.5, true, null)]
    [InlineData(2.5, true, "slow")]
    [InlineData(2.5, false, "slow")]
    public async Task An_endpoint_is_known_by_how_it_answered(double seconds, bool succeeds, string? pace)
    {
        await using var bed = await NewBedAsync();
        var endpoint = await bed.AddAsync("https://example.com/");
        await bed.HappenAsync();
        var claimed = Assert.Single(await bed.Queue.ClaimAsync(Places, [], CancellationToken.None));

        await bed.Results.StoreAsync(
            claimed,
            new WebhookAttempt(
                DateTime.UtcNow, TimeSpan.FromSeconds(seconds), new Dictionary<string, string>(), succeeds ? 200 : 500,
                null, null, null, null),
            CancellationToken.None);

        Assert.Equal(pace, await PaceAsync(bed, endpoint));
    }

    [Fact]
    public async Task A_claim_survives_any_change_of_settings_meanwhile()
    {
        await using var bed = await NewBedAsync();
        var endpoint = await bed.AddAsync("https://example.com/", rateLimit: 1000);
        using var stop = new CancellationTokenSource();
        var changing = Task.Run(async () =>
        {
            await using var db = postgres.NewDb();
            var store = new WebhookStore(db, WebhookBed.Box, Options.Create(new WebhooksOptions()));
            for (var change = 0; !stop.IsCancellationRequested; change++)
            {
                await store.ChangeAsync(
                    bed.Tenant, endpoint.Id,
                    new WebhookChange(
                        null, null, null, (WebhookOrdering)(change % 2), change % 2 == 0 ? 0 : 1000, null,
                        change % 7 != 0),
                    CancellationToken.None);
            }
        });

        for (var round = 0; round < 200; round++)
        {
            await bed.HappenAsync();
            foreach (var claimed in await bed.Queue.ClaimAsync(Places, [], CancellationToken.None))
                await bed.Queue.ReleaseAsync(claimed, TimeSpan.Zero, CancellationToken.None);
        }

        await stop.CancelAsync();
        await changing;
    }

    [Fact]
    public async Task What_was_given_back_without_a_call_is_no_attempt()
    {
        await using var bed = await NewBedAsync();
        var endpoint = await bed.AddAsync("https://example.com/");
        await bed.HappenAsync();

        for (var round = 0; round < 3; round++)
        {
            var claimed = Assert.Single(await bed.Queue.ClaimAsync(Places, [], CancellationToken.None));
            await bed.Queue.ReleaseAsync(claimed, TimeSpan.Zero, CancellationToken.None);
        }

        Assert.Equal(0, Assert.Single(await bed.DeliveriesAsync(endpoint)).Attempts);
    }

    private Task<WebhookBed> NewBedAsync() =>
        new WebhookBed(postgres, new WebhooksOptions { Concurrency = Places }).StartAsync(instances: 0);

    private static Task<int> ProvenAsync(WebhookBed bed, WebhookEndpoint endpoint) => bed.Db.ExecuteAsync(
        bed.Tenant,
        "UPDATE viral.webhook_endpoints SET pace = 'fast' WHERE tenant_id = $1 AND id = $2",
        [bed.Tenant.Value, endpoint.Id],
        CancellationToken.None);

    private static Task<string?> PaceAsync(WebhookBed bed, WebhookEndpoint endpoint) => bed.Db.QueryOneAsync(
        bed.Tenant,
        "SELECT pace FROM viral.webhook_endpoints WHERE tenant_id = $1 AND id = $2",
        [bed.Tenant.Value, endpoint.Id],
        row => row.IsDBNull(0) ? null : row.GetString(0),
        CancellationToken.None);
}
