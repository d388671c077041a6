using ViralEngine.Core.Organizations;
using ViralEngine.Core.Storage;
using ViralEngine.Testing;

namespace ViralEngine.Core.Tests.Organizations;

public sealed class ApiKeyLookupTests(TestPostgres postgres) : IClassFixture<TestPostgres>
{
    [Fact]
    public async Task Each_of_many_at_once_gets_the_owner_of_its_own_key()
    {
        var lookup = new ApiKeyLookup(postgres.DataSource);
        var one = await AddAsync();
        var other = await AddAsync();
        var revoked = await AddAsync();
        await using (var db = postgres.NewDb())
            Assert.Equal(1, await new ApiKeyStore(db).RevokeAsync(revoked.Tenant, [revoked.KeyId], default));
        string[] secrets = [one.Secret, other.Secret, revoked.Secret, ApiKeySecret.Create()];

        var found = await Task.WhenAll(
            Enumerable.Range(0, 400).Select(i => lookup.FindAsync(ApiKeySecret.Hash(secrets[i % 4]))));

        for (var i = 0; i < found.Length; i++)
        {
            Assert.Equal(
                (i % 4) switch { 0 => (one.Tenant, one.KeyId), 1 => (other.Tenant, other.KeyId), _ => default },
                found[i] is { } owner ? (owner.Tenant, owner.KeyId) : default);
        }
    }

    [Fact]
    public async Task A_key_is_refused_from_its_revocation_on_however_many_ask()
    {
        var lookup = new ApiKeyLookup(postgres.DataSource);
        var (tenant, keyId, secret) = await AddAsync();
        var hash = ApiKeySecret.Hash(secret);
        using var stop = new CancellationTokenSource();
        var busy = Enumerable.Range(0, 8).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
                await lookup.FindAsync(hash);
        }).ToList();

        Assert.NotNull(await lookup.FindAsync(hash));
        await using (var db = postgres.NewDb())
            await new ApiKeyStore(db).RevokeAsync(tenant, [keyId], default);
        Assert.Null(await lookup.FindAsync(hash));

        await stop.CancelAsync();
        await Task.WhenAll(busy);
    }

    private async Task<(TenantId Tenant, Guid KeyId, string Secret)> AddAsync()
    {
        await using var db = postgres.NewDb();
        var (tenant, keyId, secret) = (new TenantId(RowId.New()), RowId.New(), ApiKeySecret.Create());
        await db.ExecuteAsync(
            DbScope.AllTenants, "INSERT INTO viral.organizations (id, name) VALUES ($1, 'test')", [tenant.Value],
            default);
        await new ApiKeyStore(db).AddAsync(tenant, keyId, "test", Role.Viewer, secret, null, "test", default);
        return (tenant, keyId, secret);
    }
}
