using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Outgoing;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;
using ViralEngine.Core.Webhooks;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Webhooks;

/// <summary>A tenant with webhooks on a real database, and as many delivering instances as a test starts.</summary>
internal sealed class WebhookBed : IAsyncDisposable
{
    private readonly TestPostgres postgres;
    private readonly OutgoingHttp outgoing = new(
        Options.Create(new OutgoingOptions { AllowedNetworks = ["127.0.0.0/8"] }));
    private readonly List<(DeliveryPump Pump, Task Running)> pumps = [];
    private readonly CancellationTokenSource stop = new();
    private readonly IOptions<WebhooksOptions> options;

    public WebhookBed(TestPostgres postgres, WebhooksOptions? options = null)
    {
        this.postgres = postgres;
        this.options = Options.Create(options ?? Quick());
        Db = postgres.NewDb();
        Store = new WebhookStore(Db, Box, this.options);
        Log = new DeliveryLog(Db);
    }

    public static SecretBox Box { get; } = new(Options.Create(new SecretsOptions
    {
        Keys = ["one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
    }));

    public TenantId Tenant { get; private set; } = new(Guid.CreateVersion7());

    public Db Db { get; }

    public WebhookStore Store { get; }

    public DeliveryLog Log { get; }

    public WebhookTest Test => new(Db, Box, outgoing, Log, options, TimeProvider.System, Random.Shared);

    public DeliveryQueue Queue => new(Db, options);

    public DeliveryResults Results => ResultsOn(Db);

    public DeliveryResults ResultsOn(Db db) => new(db, options, Random.Shared);

    /// <summary>Retries at once instead of over days, so that a test sees all of them.</summary>
    public static WebhooksOptions Quick(int retries = 4, TimeSpan? disableAfter = null) => new()
    {
        TimeoutSeconds = 2,
        PollMilliseconds = 50,
        RetryDelays = [.. Enumerable.Repeat(TimeSpan.FromMilliseconds(20), retries)],
        DisableAfter = disableAfter ?? TimeSpan.FromDays(5),
    };

    public async Task<WebhookBed> StartAsync(int instances = 1)
    {
        await Db.ExecuteAsync(
            DbScope.AllTenants, "INSERT INTO viral.organizations (id, name) VALUES ($1, 'test')", [Tenant.Value],
            CancellationToken.None);
        for (var i = 0; i < instances; i++)
        {
            var pump = new DeliveryPump(
                postgres.DataSource, outgoing, Box, options, TimeProvider.System, Random.Shared,
                NullLogger<DeliveryPump>.Instance);
            pumps.Add((pump, pump.RunAsync(stop.Token)));
        }

        return this;
    }

    public async Task<WebhookEndpoint> AddAsync(
        string url,
        string[]? types = null,
        WebhookOrdering ordering = WebhookOrdering.None,
        int? rateLimit = null,
        Dictionary<string, string>? headers = null) =>
        (await Store.AddAsync(
            Tenant,
            Guid.CreateVersion7(),
            new NewWebhookEndpoint(
                url, null, types ?? ["*"], ordering, rateLimit, headers ?? [], Enabled: true, "test"),
            WebhookSecret.Create(),
            CancellationToken.None))!;

    /// <summary>Something happens to a task: its event, as the task's own statements store it.</summary>
    public Task HappenAsync(
        Guid subject, int number, string type = "task.completed", TenantId? tenant = null) => Db.ExecuteAsync(
        tenant ?? Tenant,
        """
        INSERT INTO viral.events (tenant_id, subject_id, number, type, data, created_at)
        VALUES ($1, $2, $3, $4, '{"status": "completed"}', now())
        """,
        [(tenant ?? Tenant).Value, subject, number, type],
        CancellationToken.None);

    public async Task<Guid> HappenAsync(string type = "task.completed")
    {
        var subject = Guid.CreateVersion7();
        await HappenAsync(subject, 1, type);
        return subject;
    }

    public Task<List<WebhookDelivery>> DeliveriesAsync(
        WebhookEndpoint endpoint, WebhookDeliveryFilter? filter = null) =>
        Log.ListAsync(Tenant, endpoint.Id, filter ?? new WebhookDeliveryFilter(), null, 1000, CancellationToken.None);

    /// <summary>Waits until every delivery of the endpoint, and at least one, is as wanted.</summary>
    public Task<List<WebhookDelivery>> WaitUntilAsync(
        WebhookEndpoint endpoint, Func<WebhookDelivery, bool> wanted, string what) => Eventually.GetAsync(
        () => DeliveriesAsync(endpoint), deliveries => deliveries.Count > 0 && deliveries.All(wanted), what);

    public async Task<WebhookDelivery> EndOfAsync(WebhookEndpoint endpoint) => Assert.Single(
        await WaitUntilAsync(
            endpoint, delivery => delivery.Status != WebhookDeliveryStatus.Pending, "the delivery to end"));

    public async Task<IReadOnlyList<WebhookAttemptLog>> AttemptsAsync(
        WebhookEndpoint endpoint, WebhookDelivery delivery) =>
        (await Log.FindAsync(Tenant, endpoint.Id, delivery.Id, CancellationToken.None))!.Attempts;

    public async Task<WebhookEndpoint> ReadAsync(WebhookEndpoint endpoint) =>
        (await Store.FindAsync(Tenant, endpoint.Id, CancellationToken.None))!;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        foreach (var (pump, running) in pumps)
        {
            await running;
            pump.Dispose();
        }

        await Db.DisposeAsync();
        outgoing.Dispose();
        stop.Dispose();
    }
}
