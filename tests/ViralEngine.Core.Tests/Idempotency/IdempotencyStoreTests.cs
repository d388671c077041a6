using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ViralEngine.Core.Idempotency;
using ViralEngine.Core.Secrets;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Idempotency;

public sealed class IdempotencyStoreTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    private static readonly Fingerprint Print = new(new byte[32], 5);
    private static readonly StoredAnswer Answer = new(
        201, "application/json", "/api/x", "{\"key\":\"vk_secret\"}"u8.ToArray());

    private static readonly SecretBox Secrets = new(Options.Create(new SecretsOptions
    {
        Keys = ["test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
    }));

    private readonly IdempotencyOptions options = new();
    private readonly IdempotencyScope scope =
        new(new TenantId(Guid.CreateVersion7()), "api_key:1", "POST", "tasks", Guid.NewGuid().ToString());

    [Fact]
    public async Task Only_one_of_many_takes_a_key()
    {
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            await using var db = postgres.NewDb();
            return await Store(db).ClaimAsync(scope, default);
        }));

        Assert.Single(claims.OfType<IdempotencyStore.Claim.Taken>());
        Assert.Equal(19, claims.OfType<IdempotencyStore.Claim.InFlight>().Count());
    }

    [Fact]
    public async Task Answers_as_it_was_answered_and_stores_no_secret_in_the_open()
    {
        await using var db = postgres.NewDb();
        var token = await TakeAsync(db);

        Assert.True(await Store(db).AnswerAsync(scope, token, Print, Answer, default));
        var again = Assert.IsType<IdempotencyStore.Claim.Answered>(await Store(db).ClaimAsync(scope, default));
        var stored = await db.QueryOneAsync(
            scope.Tenant, "SELECT answer FROM viral.idempotency_keys", [], row => row.GetFieldValue<byte[]>(0),
            default);

        Assert.Equal(Answer.Body, again.Answer.Body);
        Assert.Equal(
            (Answer.Status, Answer.ContentType, Answer.Location),
            (again.Answer.Status, again.Answer.ContentType, again.Answer.Location));
        Assert.Equal((Print.BodyLength, 32), (again.Fingerprint.BodyLength, again.Fingerprint.Hash.Length));
        Assert.True(stored.AsSpan().IndexOf("vk_secret"u8) < 0);
    }

    [Fact]
    public async Task A_slow_first_whose_lease_lapsed_cannot_commit_after_a_second_has_claimed()
    {
        await using var first = postgres.NewDb();
        await using var second = postgres.NewDb();
        var slow = await TakeAsync(first);
        await first.BeginAsync(default);
        await LapseAsync();

        var taken = await TakeAsync(second);
        var answered = await Store(first).AnswerAsync(scope, slow, Print, Answer, default);
        await first.RollbackAsync();

        Assert.False(answered);
        Assert.False(await Store(first).RenewAsync(scope, slow, default));
        Assert.Equal(0, await Store(first).ReleaseAsync(scope, slow, default));
        Assert.True(await Store(second).AnswerAsync(scope, taken, Print, Answer, default));
    }

    [Fact]
    public async Task Who_claims_at_the_moment_of_the_answer_waits_for_it()
    {
        await using var first = postgres.NewDb();
        await using var second = postgres.NewDb();
        var token = await TakeAsync(first);
        await LapseAsync();
        await first.BeginAsync(default);
        Assert.True(await Store(first).AnswerAsync(scope, token, Print, Answer, default));

        var claiming = Store(second).ClaimAsync(scope, default);
        await first.CommitAsync(default);

        Assert.IsType<IdempotencyStore.Claim.Answered>(await claiming);
    }

    [Fact]
    public async Task A_key_is_free_again_after_release_and_after_its_time()
    {
        await using var db = postgres.NewDb();
        await Store(db).ReleaseAsync(scope, await TakeAsync(db), default);
        var token = await TakeAsync(db);
        await Store(db).AnswerAsync(scope, token, Print, Answer, default);

        await db.ExecuteAsync(
            scope.Tenant, "UPDATE viral.idempotency_keys SET expires_at = now() - interval '1 second'", [], default);

        await TakeAsync(db);
    }

    [Fact]
    public async Task Sweeps_what_is_past_its_time_but_nothing_in_flight()
    {
        await using var db = postgres.NewDb();
        var token = await TakeAsync(db);
        await Store(db).AnswerAsync(scope, token, Print, Answer, default);
        var flying = scope with { Key = "flying" };
        Assert.IsType<IdempotencyStore.Claim.Taken>(await Store(db).ClaimAsync(flying, default));
        var kept = scope with { Key = "kept" };
        var keptToken = Assert.IsType<IdempotencyStore.Claim.Taken>(await Store(db).ClaimAsync(kept, default)).Token;
        await Store(db).AnswerAsync(kept, keptToken, Print, Answer, default);
        await db.ExecuteAsync(
            scope.Tenant,
            "UPDATE viral.idempotency_keys SET expires_at = now() - interval '1 second' WHERE key <> 'kept'", [],
            default);

        await Store(db).SweepAsync(100, default);

        var left = await db.QueryAsync(
            scope.Tenant, "SELECT key FROM viral.idempotency_keys ORDER BY key", [], row => row.GetString(0), default);
        Assert.Equal(["flying", "kept"], left);
    }

    [Fact]
    public async Task Renews_the_lease_of_a_long_request_until_it_is_over()
    {
        options.LeaseSeconds = 1;
        await using var db = postgres.NewDb();
        var token = await TakeAsync(db);
        var first = await LeaseAsync(db);
        var leases = new IdempotencyLeases(
            postgres.DataSource, Secrets, Options.Create(options), TimeProvider.System,
            NullLogger<IdempotencyLeases>.Instance);

        await using (leases.Keep(scope, token))
        {
            await Eventually.GetAsync(
                () => LeaseAsync(db), lease => lease > first.AddSeconds(2), "the lease to be renewed");
        }

        var last = await LeaseAsync(db);
        await Eventually.TrueAsync(async () => await NowAsync(db) > last, "the lease to end");
        Assert.Equal(last, await LeaseAsync(db));
    }

    [Fact]
    public async Task Tenants_do_not_see_each_others_keys()
    {
        await using var db = postgres.NewDb();
        await TakeAsync(db);

        var foreign = await db.QueryAsync(
            new TenantId(Guid.NewGuid()), "SELECT key FROM viral.idempotency_keys", [], row => row.GetString(0),
            default);

        Assert.Empty(foreign);
    }

    private IdempotencyStore Store(Db db) => new(db, Secrets, Options.Create(options));

    private async Task<Guid> TakeAsync(Db db) =>
        Assert.IsType<IdempotencyStore.Claim.Taken>(await Store(db).ClaimAsync(scope, default)).Token;

    private async Task LapseAsync()
    {
        await using var db = postgres.NewDb();
        await db.ExecuteAsync(
            scope.Tenant, "UPDATE viral.idempotency_keys SET lease_until = now() - interval '1 second'", [], default);
    }

    private Task<DateTime> LeaseAsync(Db db) => db.QueryOneAsync(
        scope.Tenant, "SELECT lease_until FROM viral.idempotency_keys", [], row => row.GetDateTime(0), default);

    private static Task<DateTime> NowAsync(Db db) =>
        db.QueryOneAsync(DbScope.AllTenants, "SELECT now()", [], row => row.GetDateTime(0), default);
}
